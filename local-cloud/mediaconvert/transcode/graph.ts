/** An ffmpeg command under construction: inputs, one filter graph, and what each source pad feeds. */
export type Graph = {
  addInput(args: readonly string[]): number;
  /** A label that no chain uses yet, without brackets. */
  label(): string;
  /** Adds a filter chain; `inputs` and the result are labels or stream specifiers such as `0:1`. */
  chain(inputs: readonly string[], filters: string, outputs: readonly string[]): void;
  inputArgs(): string[];
  filterGraph(): string;
};

export function createGraph(): Graph {
  const inputs: string[][] = [];
  const chains: string[] = [];
  let labels = 0;
  const pad = (name: string): string => `[${name}]`;
  return {
    addInput: (args) => inputs.push([...args]) - 1,
    label: () => {
      labels += 1;
      return `p${labels}`;
    },
    chain: (from, filters, to) => {
      chains.push(`${from.map(pad).join('')}${filters}${to.map(pad).join('')}`);
    },
    inputArgs: () => inputs.flat(),
    filterGraph: () => chains.join(';'),
  };
}

/** A pad that several outputs read from: ask with `take`, then `close` writes the split filter it needs. */
export type SharedPad = { take(): string; close(): void };

export function sharedPad(graph: Graph, source: string, splitFilter: 'split' | 'asplit'): SharedPad {
  const taken: string[] = [];
  return {
    take: () => {
      const label = graph.label();
      taken.push(label);
      return label;
    },
    close: () => {
      if (taken.length > 0) graph.chain([source], `${splitFilter}=${taken.length}`, taken);
    },
  };
}
