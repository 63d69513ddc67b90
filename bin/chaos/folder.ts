import { judgeFolder, reportFolder, reportMarkdown } from '../../chaos/index.ts';
import type { Command } from '../command.ts';
import { required } from '../options.ts';
import { plain } from '../output.ts';
import { drillText, exitOf } from './drill-text.ts';

/** `nexa chaos check`: judged by the checkers of today; nothing is written. */
export const check: Command['run'] = async ({ args }) => {
  const folder = required(args.what, 'the folder of a drill');
  const { report } = await judgeFolder(folder);
  return { json: report, text: (style) => drillText(report, folder, style), exit: exitOf(report.verdict) };
};

/** `nexa chaos report`: the same as Markdown; with `--html` the folder's report is written anew. */
export const report: Command['run'] = async ({ args, options }) => {
  const folder = required(args.what, 'the folder of a drill');
  if (options.html !== true) {
    const { report: judged } = await judgeFolder(folder);
    return { json: judged, text: () => reportMarkdown(judged), exit: exitOf(judged.verdict) };
  }
  const judged = await reportFolder(folder);
  const page = `${folder}/report.html`;
  return { json: { page, verdict: judged.verdict }, text: () => plain(page), exit: exitOf(judged.verdict) };
};
