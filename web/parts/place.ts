/** The address of a page with some parameters changed; those that become blank are left out, unknown ones stay. */
export function placeWith(
  path: string,
  query: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string>>,
): string {
  const next = Object.entries({ ...query, ...changes }).filter(([, value]) => value !== '')
  const search = new URLSearchParams(next).toString()
  return search === '' ? path : `${path}?${search}`
}

/** Whether a path is of the page that may ask other servers: to any other it is left by loading that one anew. */
export function isVerify(path: string): boolean {
  return /^\/verify\/?$/.test(path)
}
