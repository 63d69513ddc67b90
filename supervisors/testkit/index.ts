/// <reference lib="esnext.disposable" preserve="true" />
// The door `nexa/testkit`: a whole cluster in a test, under virtual time.

export type { Probe } from './probe.ts';
export { type TestCluster, type TestClusterOptions, testCluster } from './test-cluster.ts';
