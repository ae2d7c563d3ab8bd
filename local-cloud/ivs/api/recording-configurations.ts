import { conflict, invalid, quotaExceeded } from '../errors.ts';
import type { RecordingConfiguration } from '../resources.ts';
import type { ApiContext, Operations } from './context.ts';
import { pageOf } from './paging.ts';

const MAX_CONFIGURATIONS = 20;
const DEFAULT_INTERVAL_SECONDS = 60;

function summaryOf({ arn, name, bucketName, state, tags }: RecordingConfiguration) {
  return { arn, name, destinationConfiguration: { s3: { bucketName } }, state, tags };
}

export function presentRecordingConfiguration(configuration: RecordingConfiguration) {
  const { recordingMode, targetIntervalSeconds, ...thumbnails } = configuration.thumbnails;
  const { renditionSelection, renditions } = configuration.renditions;
  return {
    ...summaryOf(configuration),
    recordingReconnectWindowSeconds: configuration.reconnectWindowSeconds,
    thumbnailConfiguration:
      recordingMode === 'DISABLED'
        ? { recordingMode }
        : { recordingMode, targetIntervalSeconds, ...thumbnails },
    renditionConfiguration: { renditionSelection, ...(renditions.length > 0 && { renditions }) },
  };
}

/** Where and how channels are recorded. A configuration never changes. */
export function recordingOperations(
  context: ApiContext,
): Operations<
  | 'CreateRecordingConfiguration'
  | 'GetRecordingConfiguration'
  | 'ListRecordingConfigurations'
  | 'DeleteRecordingConfiguration'
> {
  const { store } = context;
  return {
    CreateRecordingConfiguration(input) {
      if (store.all('recording-configuration').length >= MAX_CONFIGURATIONS)
        throw quotaExceeded('Too many recording configurations');
      const { bucketName } = input.destinationConfiguration.s3;
      const thumbnails = input.thumbnailConfiguration ?? {};
      if (thumbnails.recordingMode === 'DISABLED' && thumbnails.targetIntervalSeconds !== undefined)
        throw invalid('thumbnailConfiguration: an interval needs the recording mode INTERVAL');
      const configuration: RecordingConfiguration = {
        arn: store.newArn('recording-configuration'),
        createdAtMs: context.now(),
        name: input.name ?? '',
        bucketName,
        state: context.options.objectStore.bucketExists(bucketName) ? 'ACTIVE' : 'CREATE_FAILED',
        reconnectWindowSeconds: input.recordingReconnectWindowSeconds ?? 0,
        thumbnails: {
          recordingMode: thumbnails.recordingMode ?? 'INTERVAL',
          targetIntervalSeconds: thumbnails.targetIntervalSeconds ?? DEFAULT_INTERVAL_SECONDS,
          ...(thumbnails.resolution && { resolution: thumbnails.resolution }),
          storage: thumbnails.storage ?? ['SEQUENTIAL'],
        },
        renditions: {
          renditionSelection: input.renditionConfiguration?.renditionSelection ?? 'ALL',
          renditions: input.renditionConfiguration?.renditions ?? [],
        },
        tags: input.tags ?? {},
      };
      store.save('recording-configuration', configuration);
      // As at AWS, where a configuration is not ready yet when it is made.
      return {
        recordingConfiguration: { ...presentRecordingConfiguration(configuration), state: 'CREATING' },
      };
    },
    GetRecordingConfiguration: ({ arn }) => ({
      recordingConfiguration: presentRecordingConfiguration(store.get('recording-configuration', arn)),
    }),
    ListRecordingConfigurations(input) {
      const { page, nextToken } = pageOf(store.all('recording-configuration'), input);
      return { recordingConfigurations: page.map(summaryOf), ...(nextToken && { nextToken }) };
    },
    DeleteRecordingConfiguration({ arn }) {
      store.get('recording-configuration', arn);
      if (store.all('channel').some((channel) => channel.recordingConfigurationArn === arn))
        throw conflict('The recording configuration is used by a channel');
      store.remove('recording-configuration', arn);
    },
  };
}
