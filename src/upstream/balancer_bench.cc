// What a pick costs, by policy and number of endpoints; and what a change of health costs.
#include <benchmark/benchmark.h>

#include "upstream/load_balancer.h"

namespace weir::upstream {
namespace {

struct Setup {
  Setup(BalancingPolicy policy, int64_t count, bool weights) {
    spec.policy = policy;
    for (int64_t i = 0; i < count; ++i) {
      Endpoint& endpoint = *endpoints.emplace_back(std::make_unique<Endpoint>());
      endpoint.address =
          net::Address::parseIp("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1), 80).value();
      endpoint.weight = weights ? static_cast<uint32_t>(i % 7 + 1) : 1;
      candidates.push_back({.endpoint = &endpoint});
    }
    rebuild();
  }
  void rebuild() { balancer.rebuild({.balancing = spec}, candidates); }

  base::FastRandom random{1};
  stats::Counter panics;
  BalancingSpec spec;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  std::vector<Candidate> candidates;
  LoadBalancer balancer{random, panics};
};

void pick(benchmark::State& state, BalancingPolicy policy, bool weights) {
  Setup setup(policy, state.range(0), weights);
  Wish wish;
  for (auto _ : state) {
    wish.hash = setup.random.next();
    benchmark::DoNotOptimize(setup.balancer.pick(wish, 0, {}));
  }
}
BENCHMARK_CAPTURE(pick, round_robin, BalancingPolicy::RoundRobin, false)->Arg(5)->Arg(5000);
BENCHMARK_CAPTURE(pick, round_robin_weighted, BalancingPolicy::RoundRobin, true)->Arg(5)->Arg(5000);
BENCHMARK_CAPTURE(pick, least_request, BalancingPolicy::LeastRequest, false)->Arg(5)->Arg(5000);
BENCHMARK_CAPTURE(pick, least_request_weighted, BalancingPolicy::LeastRequest, true)->Arg(5)->Arg(5000);
BENCHMARK_CAPTURE(pick, random, BalancingPolicy::Random, false)->Arg(5)->Arg(5000);
BENCHMARK_CAPTURE(pick, ring_hash, BalancingPolicy::RingHash, false)->Arg(5)->Arg(5000);
BENCHMARK_CAPTURE(pick, maglev, BalancingPolicy::Maglev, false)->Arg(5)->Arg(5000);

// A change of health, and the first pick after it.
void change(benchmark::State& state, BalancingPolicy policy) {
  Setup setup(policy, state.range(0), false);
  uint32_t at = 0;
  for (auto _ : state) {
    setup.candidates[at++ % setup.candidates.size()].flags ^= kFailedActiveCheck;
    setup.rebuild();
    benchmark::DoNotOptimize(setup.balancer.pick({}, 0, {}));
  }
}
BENCHMARK_CAPTURE(change, round_robin, BalancingPolicy::RoundRobin)->Arg(5)->Arg(5000);
BENCHMARK_CAPTURE(change, ring_hash, BalancingPolicy::RingHash)->Arg(5)->Arg(5000);
BENCHMARK_CAPTURE(change, maglev, BalancingPolicy::Maglev)->Arg(5)->Arg(5000);

}  // namespace
}  // namespace weir::upstream

BENCHMARK_MAIN();
