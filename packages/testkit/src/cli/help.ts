/** What `--help` prints. */
export const HELP = `testkit: runs the conformance suites of Switchyard's ports

  testkit run MODULE --port PORT   examine a plugin, one line a case
  testkit list                     the ports and the cases of their suites
  testkit --help

run
  MODULE              path of the built module (./dist/index.js), or name of an installed package
  --port PORT         which of the plugin's ports to examine; see list
  --options JSON      options of the plugin, or @FILE to read them from a file
  --export NAME       the plugin factory among the module's exports, where several provide the port
  --only ID           this case, or all cases whose ids begin so (cache.set); may stand more than once
  --report FILE       write what was found as JSON
  --mutants           also show that the suite can fail: judge its deliberately wrong implementations
  --clock KIND        virtual: time moves only as the suite says; system: real time, for a server that keeps its own.
                      Default: virtual for a plugin whose set-up takes the injected clock, else system;
                      system for the ports that wait for a peer, model and sql
  --fixture JSON      port model: names in the fixture: {"model": "fake/gpt-fake", "upstreamModel": "gpt-fake",
                      "embeddingModel": "fake/embedding-fake", "verbatim": true, "translated": false,
                      "unstreamed": ["images/generations"]}

  For port model, a fake upstream that misbehaves on request is started for each case; in the options, "$UPSTREAM_URL"
  stands for its URL and "$UPSTREAM_KEY" for the key it expects.
  Port sql works on tables of its own, randomly named, which it drops again.

list
  --port PORT         one port only
  --json              as JSON

Exit code: 0 where all passed, 1 where a case failed or a mutant survived, 2 where the command was called wrongly.

  npx @switchyard/testkit run ./dist/index.js --port cache --report conformance.json
  npx @switchyard/testkit run ./dist/index.js --port model --options '{"baseUrl": "$UPSTREAM_URL", "apiKey": "$UPSTREAM_KEY"}'
`
