package zookeepertest

import (
	"testing"

	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// The hazards that all backends have in common; package hazards says what each is. Those that only ZooKeeper has are in the
// other files.

func TestH1Blackhole(t *testing.T)              { hazards.Blackhole(t, backend) }
func TestH1CutFromPeers(t *testing.T)           { hazards.CutFromPeers(t, backend) }
func TestH2StoppedHolder(t *testing.T)          { hazards.StoppedHolder(t, backend) }
func TestH3Outage(t *testing.T)                 { hazards.Outage(t, backend) }
func TestH3TenOutages(t *testing.T)             { hazards.TenOutages(t, backend) }
func TestH4DeregisterDuringOutage(t *testing.T) { hazards.DeregisterDuringOutage(t, backend) }
func TestH5Churn(t *testing.T)                  { hazards.Churn(t, backend) }
func TestH6ContextsEnd(t *testing.T)            { hazards.ContextsEnd(t, backend) }
func TestH6ContextsEndAnywhere(t *testing.T)    { hazards.ContextsEndAnywhere(t, backend) }
func TestH7NobodyReads(t *testing.T)            { hazards.NobodyReads(t, backend) }
func TestH8StartAndStop(t *testing.T)           { hazards.StartAndStop(t, backend) }
func TestH9Callbacks(t *testing.T)              { hazards.Callbacks(t, backend) }
func TestH10IllegalContent(t *testing.T)        { hazards.IllegalContent(t, backend) }
func TestH11ForeignEntries(t *testing.T)        { hazards.ForeignEntries(t, backend) }
func TestH12LastLeaves(t *testing.T)            { hazards.LastLeaves(t, backend) }
func TestH13SameID(t *testing.T)                { hazards.SameID(t, backend) }
func TestH14RemovedByOthers(t *testing.T)       { hazards.RemovedByOthers(t, backend) }
func TestH14Deposed(t *testing.T)               { hazards.Deposed(t, backend) }
func TestH15TokensGrow(t *testing.T)            { hazards.TokensGrow(t, backend) }
func TestServerRestarts(t *testing.T)           { hazards.ServerRestarts(t, backend) }
func TestServersLeaderIsKilled(t *testing.T)    { hazards.ServersLeaderIsKilled(t, backend) }
func TestH24Neighbours(t *testing.T)            { hazards.Neighbours(t, backend) }
