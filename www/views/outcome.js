import { duration, median, percent, score, whole } from '../words.js';
import { element } from './dom.js';
import { Figures } from './figures.js';
import { warnings } from './warnings.js';

/** The result in a few figures, with a word on what they mean. */
export class Outcome {
  #root;
  #figures;
  #shown = null;

  constructor(root) {
    this.#root = root;
    this.#figures = new Figures(root.querySelector('.figures'), root.querySelector('#figure-help'));
  }

  update({ result, query, reference, said, colorBy, preservation }) {
    const now = { result, said, preservation, level: colorBy?.level };
    if (this.#shown && Object.keys(now).every((key) => this.#shown[key] === now[key])) return;
    this.#shown = now;
    this.#root.hidden = !result;
    if (!result) return;
    const level = Math.max(0, result.levels.findIndex(({ name }) => name === colorBy.level));
    const figures = [
      ['Cells mapped', whole(result.cells), ''],
      ['Cells with anchors', `${result.percent_with_anchors.toFixed(1)} %`, ...anchorWords(result.grade_of_anchors)],
      query?.batches ? null : ['Cluster preservation', preservation ? `${preservation.score.toFixed(2)} / 5` : '…', ...preservationWords(preservation)],
      [`Median ${result.sure.name}`, score(median(result.sure.values[level])), `level ${result.levels[level].name}`],
      result.calls ? ['Called', ...callWords(result)] : null,
      ['Median mapping score', score(median(result.mappingScores)), ''],
      ['Time', duration(result.seconds * 1000), ''],
    ];
    this.#figures.update(figures.filter(Boolean));
    this.#tellLimits(result, reference);
    const list = this.#root.querySelector('.warnings');
    const all = [...result.warnings, ...(preservation?.warnings ?? []), ...Object.values(said).flat()];
    list.replaceWith(warnings(all) ?? element('ul', { class: 'warnings', hidden: true }));
  }

  /** Beside cells that are called unknown: which types the reference cannot know, and what becomes of diseased cells. */
  #tellLimits({ levels, calls }, { about }) {
    const part = this.#root.querySelector('.outcome-limits');
    const unknown = calls?.some((call) => call > levels.length) ?? false;
    const missing = about.does_not_contain?.filter(({ within }) => !within).map(({ name }) => name) ?? [];
    const said = [
      unknown && missing.length > 0 && `Unknown cells may be of a type that this reference does not contain: ${missing.join(', ')}.`,
      unknown && missing.length === 0 && 'Unknown cells may be of a type that this reference does not contain; its card does not say which those are.',
      about.card.healthy,
    ].filter(Boolean);
    part.hidden = said.length === 0;
    part.textContent = said.join(' ');
  }
}

/** By the bounds that users of Azimuth know: below 5 % the mapping is not to be trusted, from 15 % it is. */
function anchorWords(grade) {
  return { poor: ['too few: the labels are not to be trusted', 'bad'], medium: ['few: look at the labels with care', 'warn'], good: ['enough', 'good'] }[grade];
}

/** Also Azimuth's bounds: 2 and 3.75 of 5. It is computed after the rest. */
function preservationWords(preservation) {
  const words = { poor: ['what is apart in your cells is mixed up', 'bad'], medium: ['some clusters of your cells are mixed up', 'warn'], good: ['your cells’ own clusters stay apart', 'good'] };
  return words[preservation?.grade] ?? ['being computed', ''];
}

/** How many cells have a call, and what is with the others. */
function callWords({ levels, calls, cells }) {
  const count = (call) => calls.reduce((sum, each) => sum + (each === call), 0);
  const [unresolved, unknown] = [count(levels.length), count(levels.length + 1)];
  const words = `${whole(unresolved)} unresolved, ${whole(unknown)} perhaps of a type that the reference does not have`;
  return [percent(cells - unresolved - unknown, cells), unresolved + unknown > 0 ? words : 'every cell has a call'];
}
