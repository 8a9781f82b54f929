package house

// The packages that the laws name, relative to the repository's root; "x/..."
// is x and everything below it.
const (
	driver      = "reception/driver/..."
	reception   = "reception"
	fake        = "fake/..."
	conformance = "testkit/conformance/..."
	chaos       = "testkit/chaos/..."
	fence       = "reception/fence"
	generator   = "gen/..."
)

// The modules that the laws name.
var (
	small   = modules("golang.org/x/sync", "github.com/google/uuid", "github.com/cenkalti/backoff/v5")
	yamlLib = modules("go.yaml.in/yaml/v3")
	diffLib = modules("github.com/aymanbagabas/go-udiff")
	linear  = modules("github.com/anishathalye/porcupine")

	consul    = modules("github.com/hashicorp/consul/api", "github.com/google/uuid", "golang.org/x/time")
	etcd      = modules("go.etcd.io/etcd/api/v3", "go.etcd.io/etcd/client/pkg/v3", "go.etcd.io/etcd/client/v3", "google.golang.org/grpc")
	zookeeper = modules("github.com/go-zookeeper/zk")
)

// laws says who may import whom. Each package of the repository is governed by
// the first law that names it, so a new folder needs a decision here. Tests of
// a package are free to import more.
var laws = []law{
	{
		text: "the SPI needs the standard library only",
		of:   paths(driver),
		may:  nothing,
	},
	{
		text:   "the SDK needs driver, the standard library, and small libraries that bring nothing else along",
		of:     paths(reception, "reception/internal/..."),
		may:    anyOf(paths(driver), small),
		brings: small,
	},
	{
		text: "the fence needs the standard library only, so that a resource can have one without the SDK",
		of:   paths(fence),
		may:  nothing,
	},
	{
		text: "the mocks need what they mock and the runtime of golang/mock",
		of:   paths("reception/mock"),
		may:  anyOf(paths(reception, driver), modules("github.com/golang/mock")),
	},
	{
		text: "the mocks need what they mock and the runtime of uber's mock",
		of:   paths("reception/ubermock"),
		may:  anyOf(paths(reception, driver), modules("go.uber.org/mock")),
	},
	{
		text: "the consul adapter needs the SDK, the SPI, Consul's client, a rate limiter and UUIDs",
		of:   paths("backends/consul/..."),
		may:  anyOf(paths(reception, driver, "backends/internal/..."), consul),
	},
	{
		text: "the etcd adapter needs the SDK, the SPI and etcd's client",
		of:   paths("backends/etcd/..."),
		may:  anyOf(paths(reception, driver, "backends/internal/..."), etcd),
	},
	{
		text: "the zookeeper adapter needs the SDK, the SPI and ZooKeeper's client",
		of:   paths("backends/zookeeper/..."),
		may:  anyOf(paths(reception, driver, "backends/internal/..."), zookeeper),
	},
	{
		text: "what the adapters share needs the SDK and the SPI, and no adapter's client",
		of:   paths("backends/internal/..."),
		may:  paths(reception, driver),
	},
	{
		text: "the old library's names need the adapters, and the clients that their signatures name",
		of:   paths("backends"),
		may:  anyOf(paths(reception, driver, "backends/consul", "backends/etcd", "backends/zookeeper"), consul, etcd, zookeeper),
	},
	{
		text:   "the fake needs the SDK and the SPI, and brings no more than they do",
		of:     paths(fake),
		may:    paths(reception, driver),
		brings: small,
	},
	{
		text:   "the conformance suite needs the SDK, the SPI and the standard library, so that any adapter can run it",
		of:     paths(conformance),
		may:    paths(reception, driver),
		brings: small,
	},
	{
		text: "the suite on the fake needs both, the SDK and the SPI",
		of:   paths("testkit/onfake"),
		may:  paths(reception, driver, fake, conformance),
	},
	{
		text: "the comparison with the fake needs that, the SDK and the SPI",
		of:   paths("testkit/differential"),
		may:  paths(reception, driver, fake),
	},
	{
		text:   "the random faults need the SDK, the SPI, a fence, the suite's timing, and a checker of histories",
		of:     paths(chaos),
		may:    anyOf(paths(reception, driver, fence, conformance, chaos), linear),
		brings: anyOf(small, linear),
	},
	{
		text:   "the generator needs a YAML library, and one that prints a diff",
		of:     paths(generator),
		may:    anyOf(yamlLib, diffLib),
		brings: anyOf(yamlLib, diffLib),
	},
	{
		text: "the spec is data",
		of:   paths("spec"),
		may:  nothing,
	},
	{
		text: "the test kit may need any library, but neither the generator nor the tools",
		of:   paths("testkit/containers/..."),
		may:  except(paths(generator, "tools/...")),
	},
	{
		text: "the tools may need anything",
		of:   paths("tools/..."),
		may:  except(nothing),
	},
}

// production is what ends up in users' binaries, and unwanted is what must not,
// not even through another package.
var (
	production = paths("reception/...", "backends/...")
	unwanted   = paths(generator, fake, "testkit/...", "tools/...")
)

const productionText = "production code needs neither gen, fake, testkit nor tools, not even through another package"
