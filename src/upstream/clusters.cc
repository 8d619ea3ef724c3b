#include <algorithm>
#include <map>

#include "event/timer.h"
#include "net/socket_stream.h"
#include "upstream/cluster.h"
#include "upstream/worker_cluster.h"

namespace weir::upstream {
namespace {

class SocketConnector final : public Connector {
 public:
  explicit SocketConnector(event::Loop& loop) : loop_(loop) {}
  std::unique_ptr<net::ByteStream> connect(const net::Address& to, base::Duration timeout) override {
    return net::SocketStream::connect(loop_, to, timeout);
  }

 private:
  event::Loop& loop_;
};

class WorkerClusters final : public Clusters {
 public:
  WorkerClusters(const std::vector<ClusterSpec>& specs, const Environment& environment, std::function<void()> on_ready);

  Cluster* find(std::string_view name) override {
    const auto at = active_.find(name);
    return at == active_.end() ? nullptr : at->second.get();
  }
  std::vector<Cluster*> all() override {
    std::vector<Cluster*> clusters;
    for (const auto& [name, cluster] : active_) clusters.push_back(cluster.get());
    return clusters;
  }
  void put(const ClusterSpec& spec, std::function<void()> on_active) override;
  void remove(std::string_view name) override;
  void assign(std::string_view name, const Assignment& assignment) override;
  void drain() override {
    for (const auto& [name, cluster] : active_) cluster->drain();
  }

 private:
  struct Warming {
    std::unique_ptr<WorkerCluster> cluster;
    std::unique_ptr<event::Timer> ready;  // Not within the call that finds the endpoints.
  };

  SharedClusters& shared() { return environment_.shared == nullptr ? unshared_ : *environment_.shared; }
  net::Resolver& resolverFor(const ClusterSpec& spec);
  void onFirstAnswers() {
    if (--unanswered_ == 0) ready_.arm(base::Duration::zero());
  }
  void activate(const std::string& name, const std::function<void()>& on_active);
  void retire(std::unique_ptr<WorkerCluster> cluster);

  const Environment environment_;
  SharedClusters unshared_;
  std::map<std::string, uint64_t, std::less<>> generations_;
  std::unique_ptr<Connector> own_connector_;
  std::unique_ptr<net::Resolver> own_resolver_;
  event::Timer ready_;
  size_t unanswered_;
  std::map<std::string, std::unique_ptr<WorkerCluster>, std::less<>> active_;
  std::map<std::string, Warming, std::less<>> warming_;
  std::vector<std::unique_ptr<WorkerCluster>> retired_;  // Their last requests are under way.
};

// Stands in for the resolver where every cluster is static.
class NoResolver final : public net::Resolver {
 public:
  std::unique_ptr<Query> resolve(std::string_view name, net::LookupFamily, OnAnswer on_answer) override {
    on_answer(base::Error{base::Code::Unavailable, base::Side::Self, base::Retry::No, std::string(name)});
    return nullptr;
  }
};

WorkerClusters::WorkerClusters(const std::vector<ClusterSpec>& specs, const Environment& environment,
                               std::function<void()> on_ready)
    : environment_(environment),
      own_connector_(environment.connector == nullptr ? std::make_unique<SocketConnector>(environment.loop) : nullptr),
      ready_(environment.loop, std::move(on_ready)),
      unanswered_(specs.size() + 1) {
  for (const ClusterSpec& spec : specs) {
    Connector& connector = environment.connector != nullptr ? *environment.connector : *own_connector_;
    active_[spec.name] =
        std::make_unique<WorkerCluster>(spec, environment_, resolverFor(spec), connector,
                                        shared().of(spec, environment_.stats), [this] { onFirstAnswers(); });
  }
  for (const ClusterSpec& spec : specs) active_.at(spec.name)->start();
  onFirstAnswers();  // The one more: ready too where there is no cluster at all.
}

// A resolver reads the system's files and costs memory: only where there are names.
net::Resolver& WorkerClusters::resolverFor(const ClusterSpec& spec) {
  if (environment_.resolver != nullptr) return *environment_.resolver;
  static NoResolver no_resolver;
  if (spec.discovery != Discovery::StrictDns && spec.discovery != Discovery::LogicalDns) return no_resolver;
  if (own_resolver_ == nullptr) own_resolver_ = net::createResolver(environment_.loop);
  return *own_resolver_;
}

void WorkerClusters::put(const ClusterSpec& spec, std::function<void()> on_active) {
  Connector& connector = environment_.connector != nullptr ? *environment_.connector : *own_connector_;
  Warming warming;
  warming.ready = std::make_unique<event::Timer>(
      environment_.loop, [this, name = spec.name, on_active = std::move(on_active)] { activate(name, on_active); });
  // Every worker is given the same clusters in the same order, so that all count alike.
  ClusterSpec next = spec;
  next.generation = ++generations_[spec.name];
  warming.cluster = std::make_unique<WorkerCluster>(
      next, environment_, resolverFor(spec), connector, shared().of(next, environment_.stats),
      [ready = warming.ready.get()] { ready->arm(base::Duration::zero()); });
  WorkerCluster& started = *warming.cluster;
  warming_[spec.name] = std::move(warming);
  started.start();
}

void WorkerClusters::activate(const std::string& name, const std::function<void()>& on_active) {
  const std::function<void()> tell = on_active;  // It belongs to the timer, which ends here.
  const auto warm = warming_.find(name);
  std::unique_ptr<WorkerCluster> cluster = std::move(warm->second.cluster);
  std::swap(active_[name], cluster);
  warming_.erase(warm);  // And the timer, which `name` belongs to.
  if (cluster != nullptr) retire(std::move(cluster));
  tell();
}

void WorkerClusters::assign(std::string_view name, const Assignment& assignment) {
  const auto warm = warming_.find(name);
  if (warm != warming_.end()) return warm->second.cluster->assign(assignment);
  if (const auto at = active_.find(name); at != active_.end()) at->second->assign(assignment);
}

void WorkerClusters::remove(std::string_view name) {
  if (const auto warm = warming_.find(name); warm != warming_.end()) warming_.erase(warm);
  const auto at = active_.find(name);
  if (at == active_.end()) return;
  std::unique_ptr<WorkerCluster> cluster = std::move(at->second);
  active_.erase(at);
  retire(std::move(cluster));
}

void WorkerClusters::retire(std::unique_ptr<WorkerCluster> cluster) {
  WorkerCluster& last = *cluster;
  retired_.push_back(std::move(cluster));
  last.retire([this](WorkerCluster& unused) {
    const auto at =
        std::find_if(retired_.begin(), retired_.end(), [&](const auto& one) { return one.get() == &unused; });
    environment_.loop.destroyLater(std::move(*at));
    retired_.erase(at);
  });
}

}  // namespace

std::unique_ptr<Clusters> createClusters(const std::vector<ClusterSpec>& specs, const Environment& environment,
                                         std::function<void()> on_ready) {
  return std::make_unique<WorkerClusters>(specs, environment, std::move(on_ready));
}

}  // namespace weir::upstream
