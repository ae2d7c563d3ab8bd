/** A number that orders two `HH:MM:SS:FF` timecodes without knowing the frame rate. */
export function timecodeOrder(timecode: string): number {
  const [hours, minutes, seconds, frames] = fields(timecode);
  return ((hours * 60 + minutes) * 60 + seconds) * 100 + frames;
}

/**
 * Media time of a timecode, in seconds. Timecodes count frames (SMPTE ST 12-1): at 29.97 frames per second `HH:MM:SS:FF`
 * runs slower than the clock, and `HH:MM:SS;FF` leaves out two numbers a minute, but not every tenth, to keep up with it.
 */
export function timecodeSeconds(timecode: string, framesPerSecond: number): number {
  const [hours, minutes, seconds, frames] = fields(timecode);
  const nominal = Math.max(1, Math.round(framesPerSecond));
  const counted = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames;
  const allMinutes = hours * 60 + minutes;
  const dropped = timecode.includes(';')
    ? 2 * Math.round(nominal / 30) * (allMinutes - Math.floor(allMinutes / 10))
    : 0;
  return (counted - dropped) / framesPerSecond;
}

function fields(timecode: string): [number, number, number, number] {
  const [hours = 0, minutes = 0, seconds = 0, frames = 0] = timecode.split(/[:;]/).map(Number);
  return [hours, minutes, seconds, frames];
}
