export type { CreateJobRequest, JobSettings } from '@aws-sdk/client-mediaconvert';

/**
 * A type of the AWS SDK as it goes over the wire: MediaConvert's JSON names members in lowerCamelCase, the SDK in PascalCase,
 * with no other difference (times are epoch seconds). Keys of maps, such as selector names and user metadata, stay as they are.
 */
export type Wire<T> = T extends Date
  ? number
  : T extends readonly (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? string extends keyof T
        ? { [Key in keyof T]: Wire<T[Key]> }
        : { [Key in keyof T as Key extends string ? Uncapitalize<Key> : Key]: Wire<T[Key]> }
      : T;

// The members of MediaConvert's model that are maps rather than structures.
const mapMembers: ReadonlySet<string> = new Set([
  'AudioSelectorGroups',
  'AudioSelectors',
  'CaptionSelectors',
  'DynamicAudioSelectors',
  'Tags',
  'UserMetadata',
]);

/** Lowers the first letter of every member name. */
export function toWire<T>(value: T): Wire<T> {
  return lower(value, false) as Wire<T>;
}

function lower(value: unknown, isMap: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => lower(item, false));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      isMap ? name : name.charAt(0).toLowerCase() + name.slice(1),
      lower(member, !isMap && mapMembers.has(name)),
    ]),
  );
}
