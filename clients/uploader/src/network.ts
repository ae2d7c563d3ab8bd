/** Calls back when the machine loses and regains its network. @returns a function that stops it. */
export function watchNetwork(onChange: (online: boolean) => void): () => void {
  if (typeof addEventListener !== 'function') return () => undefined;
  const online = () => onChange(true);
  const offline = () => onChange(false);
  addEventListener('online', online);
  addEventListener('offline', offline);
  return () => {
    removeEventListener('online', online);
    removeEventListener('offline', offline);
  };
}
