import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What apt-get does when it is asked; each a piece of shell. */
export interface AptAnswers {
  readonly targets?: string;
  readonly update?: string;
  readonly simulate?: string;
  readonly download?: string;
}

/** A machine whose apt-get and dpkg are scripts: what is under test is what is asked of them and what becomes of their answers. */
export class FakeApt {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async open(answers: AptAnswers): Promise<FakeApt> {
    const machine = new FakeApt(await mkdtemp(join(tmpdir(), 'nexa-apt-')));
    await mkdir(join(machine.root, 'bin'));
    await writeFile(machine.osRelease, 'PRETTY_NAME="Debian"\nID=debian\nVERSION_CODENAME=bookworm\n');
    await machine.answer(answers);
    return machine;
  }

  get osRelease(): string {
    return join(this.root, 'os-release');
  }

  get env() {
    return { PATH: `${join(this.root, 'bin')}:/usr/bin:/bin`, HOME: join(this.root, 'home') };
  }

  /** A program of that name. */
  async tool(name: string, body: string): Promise<void> {
    await writeFile(join(this.root, 'bin', name), `#!/bin/sh\necho "${name} $*" >> "${this.root}/calls"\n${body}\n`);
    await chmod(join(this.root, 'bin', name), 0o755);
  }

  /** Its system knows its mirror at once unless `targets` says otherwise. */
  async answer({ targets = 'echo "Repo-URI: http://mirror.test/debian/"', update = ':', simulate = ':', download = ':' }: AptAnswers) {
    const downloads = `cp sources.list "${this.root}/sources.list"; echo 'dlstatus:1:50.5:x' >&3; ${download}`;
    await this.tool(
      'apt-get',
      `case "$*" in *indextargets*) ${targets};; *update*) ${update};; *simulate*) ${simulate};; *download*) ${downloads};; esac`,
    );
  }

  calls(): Promise<string> {
    return readFile(join(this.root, 'calls'), 'utf8');
  }

  /** The line that packages were taken from. */
  source(): Promise<string> {
    return readFile(join(this.root, 'sources.list'), 'utf8');
  }

  close(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}
