// Checks: one line each, and a count at the end.

export class Checks {
  passed = 0;
  failed = 0;
  #scenario = '';

  begin(scenario) {
    this.#scenario = scenario;
  }

  /** States a fact. `found` is printed when it is false. */
  that(statement, holds, found = '') {
    if (holds) this.passed += 1;
    else this.failed += 1;
    console.log(`${holds ? 'ok  ' : 'FAIL'} ${this.#scenario}: ${statement}${holds || found === '' ? '' : ` — found ${brief(found)}`}`);
    return holds;
  }

  equal(statement, found, expected) {
    return this.that(statement, found === expected, `${brief(found)} instead of ${brief(expected)}`);
  }

  none(statement, list) {
    return this.that(statement, list.length === 0, list);
  }

  /** Two files of the same bytes; says where they part. */
  sameBytes(statement, found, expected) {
    if (found.equals(expected)) return this.that(statement, true);
    const length = Math.min(found.length, expected.length);
    let at = 0;
    while (at < length && found[at] === expected[at]) at += 1;
    const line = found.subarray(0, at).filter((byte) => byte === 10).length + 1;
    const lineAt = (bytes) => bytes.toString('utf8').split('\n')[line - 1];
    return this.that(statement, false, `${found.length} and ${expected.length} bytes, different from line ${line} on: “${lineAt(found)}” and “${lineAt(expected)}”`);
  }
}

function brief(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 700 ? `${text.slice(0, 700)} …` : text;
}
