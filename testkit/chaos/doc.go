// Package chaos plays random schedules of faults on a cluster, while processes register, list, watch and lead, and checks
// afterwards whether all that was seen is what the contract allows.
//
//	history, err := chaos.Run(ctx, arena, chaos.Plan{Seed: 42}, logger)
//	report := history.Check()
//
// An [Arena] is the servers, and what can befall them and the processes: connections that are cut or swallow everything,
// servers that are killed, frozen or cut off from each other, sessions that are ended, data that is lost. A schedule is
// drawn from the seed of a [Plan]. The package's tests have an arena of the fake, in bubbles of testing/synctest, on
// which thousands of schedules take a minute; testkit/containers/chaostest has those of the real servers.
//
// # What is checked
//
//   - No two terms are held at one moment. A term is asked whether it is held, again and again and whenever another one
//     begins; since a term that has ended is never held again, each yes proves that it was held from its beginning until
//     the question. The order of questions and answers is that of one lock, so that no clock has a part in it.
//   - Tokens grow, within one life of the backend's data.
//   - The history of the lead is linearizable, as found by Porcupine: the lead is like a thing of which there is one.
//   - Leaders add to a counter behind a fence, some of them long after they have asked whether they lead. No addition is
//     lost, and the history of the counter is linearizable.
//   - After the faults, every registration that its owner still wants is back, and nothing else is listed; every watcher
//     ends with that, and everybody agrees on a leader, who believes it.
//   - What was withdrawn is not seen again, and no list or state without an error lacks an instance that nothing has
//     happened to: one whose owner was not told that it is in doubt.
//
// Where an administrator ends the session of a holder that cannot hear of it, two terms may overlap until the first one's
// horizon. These windows are excused by the name of the fault ([Excuse]) and counted. The counter never is.
//
// # Repeating a run
//
// A history is saved as lines of JSON and can be checked again by itself, which is exact:
//
//	go run ./testkit/chaos/chaoscheck FILE
//
// A seed draws the same schedule and the same work again; which of two goroutines runs first at one instant it does not
// fix, nor what the client draws for its own waits. So a seed that has failed may need some repetitions.
package chaos
