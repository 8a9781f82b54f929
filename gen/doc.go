// Package gen is the generator: it turns the spec of the operations, spec/reception.yaml, into the code and the pages
// that derive from it.
//
// # How it works
//
// [Load] decodes a spec, checks it and gives a [Spec], in which all names are resolved and everything makes sense.
// [Render] turns that into the content of every generated file. [Write] brings a tree up to date with it and [Check]
// says how a tree differs from it; both go by the same map of files.
//
// What a spec may say is one table, the grammar. Decoding with its messages, the JSON schema for editors ([Schema]) and
// the tables of spec/GRAMMAR.md come from it. What a table cannot say (which names are known, what goes together, what
// a rule contributes to an operation) is checked in files that start with check.
//
// # Guarantees
//
// Load and Render are pure: no files, no network, no clock, no environment, no state. The same spec gives the same
// bytes, and specs that differ in comments and layout alone have the same digest, which all generated Go files share,
// so that a tree in which only a part was regenerated does not compile.
//
// What is wrong with a spec is reported as a [SpecError]: the first syntax error, or else every mistake, each once, with
// line and column, the line, what would be right and, for a name, which one was probably meant. What follows from
// another mistake alone is not reported.
//
// The names of operations, records and types stand in the spec and nowhere in this package. A few errors do, as every
// backend raises them whatever the spec says.
//
// A rule is refused if it says something that no run of the operation could show, be it by itself or after the rules
// before it: the fake, the adapters and the conformance suite could not be held to it.
//
// # Limits
//
// A spec is one YAML document in UTF-8 of at most a mebibyte, without anchors, aliases, tags, merge keys, directives,
// duplicate keys, tabs, invisible characters or a byte order mark, and not nested deeper than the grammar is. Whatever
// the source is, Load takes a few seconds at most.
//
// Load cannot know what hand-written code declares. It knows the names that matter at present; for others the compiler
// reports the clash.
package gen
