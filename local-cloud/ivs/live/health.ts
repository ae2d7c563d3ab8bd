/** Watches whether media keeps coming: a broadcast that sends none for a while is starving. */
export type HealthWatch = {
  readonly health: 'HEALTHY' | 'STARVING' | 'UNKNOWN';
  /** Media came in. */
  fed(): void;
  stop(): void;
};

export function watchHealth(starvationMs: number, onChange: (starving: boolean) => void): HealthWatch {
  let health: HealthWatch['health'] = 'UNKNOWN';
  const timer = setTimeout(() => {
    health = 'STARVING';
    onChange(true);
  }, starvationMs);
  return {
    get health() {
      return health;
    },
    fed() {
      timer.refresh();
      if (health === 'STARVING') onChange(false);
      health = 'HEALTHY';
    },
    stop: () => clearTimeout(timer),
  };
}
