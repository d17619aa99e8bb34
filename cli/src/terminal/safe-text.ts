// Control characters, the C1 range and the marks that reorder text: names and messages come from apps and may be hostile.
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Text that cannot move the cursor, change colours or reorder a line: such characters are shown as \u{…}. */
export function safeText(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
