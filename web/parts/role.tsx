import './role.css'

/** What an account is: in the active set, registered, or a delegator. */
export function Role({
  of: { isActive, isTranscoder, delegate },
}: {
  of: { isActive: boolean; isTranscoder: boolean; delegate: string | null }
}) {
  if (isActive) return <span class="role active">active transcoder</span>
  if (isTranscoder) return <span class="role">transcoder, not active</span>
  return <span class="role unit">{delegate === null ? 'none' : 'delegator'}</span>
}
