/** The cron expressions of wrangler.toml. */
export const cronSchedules = ['* * * * *', '17 * * * *', '41 3 * * *'] as const;

export type CronSchedule = (typeof cronSchedules)[number];
