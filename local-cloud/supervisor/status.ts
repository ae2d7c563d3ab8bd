import { styleText } from 'node:util';

type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'dim' | 'bold';

const paint = (colour: Colour, text: string): string => styleText(colour, text, { stream: process.stdout });

/** What people see of the local cloud: one line a step, colour only where the terminal has it. */
export const status = {
  title: (text: string) => console.log(`\n${paint('bold', text)}`),
  ok: (name: string, detail: string, startedAt?: number) =>
    console.log(
      `  ${paint('green', '✓')} ${name.padEnd(14)} ${detail}${startedAt === undefined ? '' : paint('dim', `  ${((Date.now() - startedAt) / 1000).toFixed(1)} s`)}`,
    ),
  step: (text: string) => console.log(`  ${paint('green', '✓')} ${text}`),
  note: (text: string) => console.log(`  ${paint('cyan', '·')} ${text}`),
  warn: (text: string) => console.warn(`  ${paint('yellow', '!')} ${text}`),
  fail: (text: string) => console.error(`  ${paint('red', '✗')} ${text}`),
  service: (name: string, line: string) => console.log(`${paint('dim', `${name} |`)} ${line}`),
};

/** A progress bar such as `[█████·····]  50 %`. `share` is 0..1. */
export function progressBar(share: number, width = 24): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `[${'█'.repeat(filled)}${'·'.repeat(width - filled)}] ${String(Math.round(share * 100)).padStart(3)} %`;
}
