/** What every refused call answers: a stable code, and a sentence for a person. */
export function errorBody(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}
