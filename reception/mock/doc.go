// Package mock has gomock mocks of the SDK's interfaces, and of the one that adapters implement, for tests that use
// github.com/golang/mock. Package ubermock beside it has the same for go.uber.org/mock: the Controllers of the two
// runtimes are different types, so take the package that goes with yours.
//
//	ctrl := gomock.NewController(t)
//	client := mock.NewMockClient(ctrl)
//	client.EXPECT().ListServices(gomock.Any(), "api").Return(nil, reception.ErrUnavailable)
//
// # A mock or the fake
//
// A mock knows which calls to expect and nothing of what they mean. It is right for a test about calls: that a service
// is deregistered on shutdown, that an error is passed on.
//
// A test about behaviour (an instance leaves and the list follows, the leader is cut off and another one takes over)
// wants package fake. It keeps the contract that the real backends keep, with faults to script and, in a
// testing/synctest bubble, in virtual time; the same test with a mock would test its own expectations.
package mock
