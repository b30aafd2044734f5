/** How often the user speaks in a request of any dialect; 0 where that cannot be told. */
export function turnsOf({ messages, input }: Readonly<Record<string, unknown>>): number {
  const turns = Array.isArray(messages) ? messages : Array.isArray(input) ? input : []
  return turns.filter((turn) => (turn as { readonly role?: unknown } | null)?.role === 'user').length
}
