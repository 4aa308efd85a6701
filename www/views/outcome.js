import { duration, median, score, whole } from '../words.js';
import { element } from './dom.js';
import { warnings } from './warnings.js';

/** The result in a few figures, with a word on what they mean. */
export class Outcome {
  #root;
  #shown = null;

  constructor(root) {
    this.#root = root;
  }

  update({ result, said, colorBy }) {
    const { level: shownLevel } = colorBy ?? {};
    if (this.#shown?.result === result && this.#shown.said === said && this.#shown.level === shownLevel) return;
    this.#shown = { result, said, level: shownLevel };
    this.#root.hidden = !result;
    if (!result) return;
    const level = Math.max(0, result.levels.findIndex(({ name }) => name === colorBy.level));
    const figures = [
      ['Cells mapped', whole(result.cells), ''],
      ['Cells with anchors', `${result.percent_with_anchors.toFixed(1)} %`, ...anchorWords(result.percent_with_anchors)],
      ['Median prediction score', score(median(result.scores[level])), `level ${result.levels[level].name}`],
      ['Median mapping score', score(median(result.mappingScores)), ''],
      ['Time', duration(result.seconds * 1000), ''],
    ];
    this.#root.querySelector('.figures').replaceChildren(...figures.map(figure));
    const list = this.#root.querySelector('.warnings');
    list.replaceWith(warnings([...result.warnings, ...Object.values(said).flat()]) ?? element('ul', { class: 'warnings', hidden: true }));
  }
}

function figure([name, value, words, tone]) {
  return element('div', { 'data-tone': tone }, element('dt', {}, name), element('dd', {}, value), words ? element('dd', { class: 'figure-words' }, words) : null);
}

/** The bounds that users of Azimuth know: below 5 % the mapping is not to be trusted, above 15 % it is. */
function anchorWords(percent) {
  if (percent < 5) return ['too few: the labels are not to be trusted', 'bad'];
  if (percent < 15) return ['few: look at the labels with care', 'warn'];
  return ['enough', 'good'];
}
