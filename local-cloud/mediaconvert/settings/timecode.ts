/** A number that orders two `HH:MM:SS:FF` timecodes without knowing the frame rate. */
export function timecodeOrder(timecode: string): number {
  const [hours, minutes, seconds, frames] = fields(timecode);
  return ((hours * 60 + minutes) * 60 + seconds) * 100 + frames;
}

/** Media time of an `HH:MM:SS:FF` timecode, in seconds. */
export function timecodeSeconds(timecode: string, framesPerSecond: number): number {
  const [hours, minutes, seconds, frames] = fields(timecode);
  return (hours * 60 + minutes) * 60 + seconds + frames / framesPerSecond;
}

function fields(timecode: string): [number, number, number, number] {
  const [hours = 0, minutes = 0, seconds = 0, frames = 0] = timecode.split(/[:;]/).map(Number);
  return [hours, minutes, seconds, frames];
}
