import fs from 'node:fs';
import { join } from 'node:path';

/**
 * A file system for Emscripten's virtual FS that passes every operation on to the host's disk, so that inputs are
 * read and outputs written in place with constant memory. Shapes follow Emscripten's documented FS plug-in
 * interface (node_ops, stream_ops); errors are the wasm libc's errno numbers.
 */

type FsNode = { parent: FsNode; name: string; mode: number; mount: { opts: { root: string } } } & NodeOps;
type FsStream = { node: FsNode; flags: number; position: number; nfd?: number };
type Attributes = { mode?: number; size?: number; timestamp?: number };
type NodeOps = { node_ops: Record<string, unknown>; stream_ops: Record<string, unknown> };

export type EmscriptenFs = {
  ErrnoError: new (errno: number) => Error;
  createNode(parent: FsNode | null, name: string, mode: number, rdev: number): FsNode;
  mkdirTree(path: string): void;
  mount(type: unknown, options: { root: string }, mountpoint: string): void;
  chdir(path: string): void;
};

const ERRNO: Record<string, number> = {
  EACCES: 2,
  EBADF: 8,
  EEXIST: 20,
  EINVAL: 28,
  EISDIR: 31,
  EMFILE: 33,
  ENOENT: 44,
  ENOSPC: 51,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  EPERM: 63,
};
const EIO = 29;

/** Low bits of the wasm libc's open flags, which do not match every host's. */
const O_ACCESS_MODE = 0o3;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;

export function createDiskFileSystem(FS: EmscriptenFs): unknown {
  function attempt<T>(operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      throw new FS.ErrnoError(ERRNO[code] ?? EIO);
    }
  }

  function hostPath(node: FsNode): string {
    const names: string[] = [];
    let current = node;
    while (current.parent !== current) {
      names.unshift(current.name);
      current = current.parent;
    }
    return join(current.mount.opts.root, ...names);
  }

  function createNode(parent: FsNode | null, name: string, mode: number): FsNode {
    const node = FS.createNode(parent, name, mode, 0);
    node.node_ops = nodeOps;
    node.stream_ops = streamOps;
    return node;
  }

  const nodeOps: Record<string, unknown> = {
    getattr(node: FsNode) {
      const stat = attempt(() => fs.statSync(hostPath(node)));
      return {
        dev: stat.dev,
        ino: stat.ino,
        mode: stat.mode,
        nlink: stat.nlink,
        uid: stat.uid,
        gid: stat.gid,
        rdev: stat.rdev,
        size: stat.size,
        atime: stat.atime,
        mtime: stat.mtime,
        ctime: stat.ctime,
        blksize: 4096,
        blocks: Math.ceil(stat.size / 4096),
      };
    },
    setattr(node: FsNode, attributes: Attributes) {
      const { size } = attributes;
      if (size !== undefined) attempt(() => fs.truncateSync(hostPath(node), size));
    },
    lookup(parent: FsNode, name: string) {
      const stat = attempt(() => fs.statSync(join(hostPath(parent), name)));
      return createNode(parent, name, stat.mode);
    },
    mknod(parent: FsNode, name: string, mode: number) {
      const node = createNode(parent, name, mode);
      attempt(() => {
        if ((mode & 0o170000) === 0o040000) fs.mkdirSync(hostPath(node));
        else fs.writeFileSync(hostPath(node), '');
      });
      return node;
    },
    rename(node: FsNode, newParent: FsNode, newName: string) {
      attempt(() => fs.renameSync(hostPath(node), join(hostPath(newParent), newName)));
      node.name = newName;
    },
    unlink(parent: FsNode, name: string) {
      attempt(() => fs.unlinkSync(join(hostPath(parent), name)));
    },
    rmdir(parent: FsNode, name: string) {
      attempt(() => fs.rmdirSync(join(hostPath(parent), name)));
    },
    readdir(node: FsNode) {
      return attempt(() => ['.', '..', ...fs.readdirSync(hostPath(node))]);
    },
  };

  const streamOps: Record<string, unknown> = {
    open(stream: FsStream) {
      if ((stream.node.mode & 0o170000) !== 0o100000) return;
      stream.nfd = attempt(() => fs.openSync(hostPath(stream.node), hostFlags(stream.flags)));
    },
    close(stream: FsStream) {
      const { nfd } = stream;
      if (nfd !== undefined) attempt(() => fs.closeSync(nfd));
    },
    read(stream: FsStream, buffer: Int8Array, offset: number, length: number, position: number) {
      if (length === 0) return 0;
      return attempt(() => fs.readSync(descriptor(stream), buffer, offset, length, position));
    },
    write(stream: FsStream, buffer: Int8Array, offset: number, length: number, position: number) {
      return attempt(() => fs.writeSync(descriptor(stream), buffer, offset, length, position));
    },
    llseek(stream: FsStream, offset: number, whence: number) {
      const base =
        whence === 0
          ? 0
          : whence === 1
            ? stream.position
            : attempt(() => fs.fstatSync(descriptor(stream)).size);
      if (base + offset < 0) throw new FS.ErrnoError(28);
      return base + offset;
    },
  };

  function descriptor(stream: FsStream): number {
    if (stream.nfd === undefined) throw new FS.ErrnoError(8);
    return stream.nfd;
  }

  return { mount: (mount: { opts: { root: string } }) => createRoot(mount) };

  function createRoot(mount: { opts: { root: string } }): FsNode {
    const root = createNode(null, '/', fs.statSync(mount.opts.root).mode);
    root.mount = mount;
    return root;
  }
}

function hostFlags(flags: number): number {
  const { constants } = fs;
  const access =
    [constants.O_RDONLY, constants.O_WRONLY, constants.O_RDWR][flags & O_ACCESS_MODE] ?? constants.O_RDWR;
  return (
    access |
    (flags & O_CREAT ? constants.O_CREAT : 0) |
    (flags & O_EXCL ? constants.O_EXCL : 0) |
    (flags & O_TRUNC ? constants.O_TRUNC : 0) |
    (flags & O_APPEND ? constants.O_APPEND : 0)
  );
}
