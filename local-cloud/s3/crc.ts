import { crc32 } from 'node:zlib';

/** A running checksum; `digest` is big-endian, as S3 sends it (base64). */
export type RunningChecksum = { update(data: Buffer): void; digest(): Buffer };

const uint32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0);
  return out;
};

export const createCrc32 = (): RunningChecksum => {
  let value = 0;
  return {
    update: (data) => {
      value = crc32(data, value);
    },
    digest: () => uint32(value),
  };
};

/** Castagnoli polynomial, reflected (RFC 3720 appendix B.4). */
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_unused, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

export const createCrc32c = (): RunningChecksum => {
  let value = 0xffffffff;
  return {
    update: (data) => {
      for (const byte of data) value = (CRC32C_TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
    },
    digest: () => uint32(value ^ 0xffffffff),
  };
};

/** CRC-64/NVME, reflected polynomial 0x9a6c9329ac4bc9b5, in two 32-bit halves (NVM Command Set 1.0d, 5.2.1.3.4). */
const CRC64_HIGH = new Uint32Array(256);
const CRC64_LOW = new Uint32Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    const carry = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (carry) {
      high ^= 0x9a6c9329;
      low ^= 0xac4bc9b5;
    }
  }
  CRC64_HIGH[byte] = high >>> 0;
  CRC64_LOW[byte] = low >>> 0;
}

export const createCrc64Nvme = (): RunningChecksum => {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update: (data) => {
      for (const byte of data) {
        const entry = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (CRC64_LOW[entry] ?? 0);
        high = (high >>> 8) ^ (CRC64_HIGH[entry] ?? 0);
      }
    },
    digest: () => Buffer.concat([uint32(high ^ 0xffffffff), uint32(low ^ 0xffffffff)]),
  };
};
