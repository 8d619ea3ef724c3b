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
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : at->second;
  }
  std::vector<Cluster*> all() override {
    std::vector<Cluster*> clusters;
    for (const auto& cluster : clusters_) clusters.push_back(cluster.get());
    return clusters;
  }
  void drain() override {
    for (const auto& cluster : clusters_) cluster->drain();
  }

 private:
  void onFirstAnswers() {
    if (--unanswered_ == 0) ready_.arm(base::Duration::zero());
  }

  std::unique_ptr<Connector> own_connector_;
  std::unique_ptr<net::Resolver> own_resolver_;
  event::Timer ready_;
  size_t unanswered_;
  std::vector<std::unique_ptr<WorkerCluster>> clusters_;
  std::map<std::string_view, WorkerCluster*> by_name_;
};

bool needsNames(const std::vector<ClusterSpec>& specs) {
  for (const ClusterSpec& spec : specs) {
    if (spec.discovery != Discovery::Static) return true;
  }
  return false;
}

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
    : ready_(environment.loop, std::move(on_ready)), unanswered_(specs.size() + 1) {
  Connector* connector = environment.connector;
  if (connector == nullptr) {
    own_connector_ = std::make_unique<SocketConnector>(environment.loop);
    connector = own_connector_.get();
  }
  net::Resolver* resolver = environment.resolver;
  if (resolver == nullptr) {
    // A resolver reads the system's files and costs memory: only where there are names.
    own_resolver_ = needsNames(specs) ? net::createResolver(environment.loop) : std::make_unique<NoResolver>();
    resolver = own_resolver_.get();
  }
  for (const ClusterSpec& spec : specs) {
    clusters_.push_back(
        std::make_unique<WorkerCluster>(spec, environment, *resolver, *connector, [this] { onFirstAnswers(); }));
    by_name_[clusters_.back()->spec().name] = clusters_.back().get();
  }
  for (const auto& cluster : clusters_) cluster->start();
  onFirstAnswers();  // The one more: ready too where there is no cluster at all.
}

}  // namespace

std::unique_ptr<Clusters> createClusters(const std::vector<ClusterSpec>& specs, const Environment& environment,
                                         std::function<void()> on_ready) {
  return std::make_unique<WorkerClusters>(specs, environment, std::move(on_ready));
}

}  // namespace weir::upstream
