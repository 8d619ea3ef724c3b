#include "server/cluster_table.h"

#include <fmt/core.h>

#include <set>

#include "base/log.h"

namespace weir::server {

ClusterTable::ClusterTable(const xds::Subscription::Environment& environment, Crew& crew, Transports& transports)
    : environment_(environment),
      crew_(crew),
      transports_(transports),
      added_(environment.stats.counter("cluster_manager.cluster_added")),
      modified_(environment.stats.counter("cluster_manager.cluster_modified")),
      removed_(environment.stats.counter("cluster_manager.cluster_removed")),
      updated_(environment.stats.counter("cluster_manager.cluster_updated")),
      active_(environment.stats.gauge("cluster_manager.active_clusters")) {
  environment.stats.gauge("cluster_manager.warming_clusters").set(0);
}

std::vector<base::Error> ClusterTable::addStatic(const std::vector<upstream::ClusterSpec>& specs,
                                                 const std::vector<std::string>& dumps) {
  for (size_t i = 0; i < specs.size(); ++i) {
    Entry& entry = entries_[specs[i].name];
    entry.spec = specs[i];
    entry.status = {specs[i].name, "", dumps[i], environment_.loop.wallNow(), false};
    added_.add();
    followEndpoints(entry);
  }
  active_.set(static_cast<int64_t>(entries_.size()));
  std::vector<base::Error> faults;
  for (const upstream::ClusterSpec& spec : specs) {
    if (auto loaded = loadFilters(entries_[spec.name].spec); !loaded.ok()) faults.push_back(std::move(loaded).error());
  }
  return faults;
}

base::Result<void> ClusterTable::loadFilters(upstream::ClusterSpec& spec) {
  if (load_filters_ == nullptr || spec.http_filters == nullptr) return base::Ok{};
  return load_filters_(spec);
}

void ClusterTable::follow(const base::FileSource& cds) {
  cds_ = std::make_unique<xds::Subscription>(environment_, config::ResourceKind::Cluster, cds, "cds",
                                             "cluster_manager.cds.",
                                             [this](config::Discovered& resources) { return take(resources); });
  cds_->start();
}

void ClusterTable::stop() {
  cds_.reset();
  for (auto& [name, entry] : entries_) entry.endpoints.reset();
}

std::vector<upstream::ClusterSpec> ClusterTable::begin() {
  begun_ = true;
  for (auto& [name, entry] : entries_) {
    if (entry.assignment != nullptr) crew_.assign(name, entry.assignment);
  }
  return specs();
}

std::vector<upstream::ClusterSpec> ClusterTable::specs() const {
  std::vector<upstream::ClusterSpec> specs;
  for (const auto& [name, entry] : entries_) specs.push_back(entry.spec);
  return specs;
}

// What can be wrong with a cluster has been found by the reading, but for its certificates.
std::vector<std::string> ClusterTable::take(config::Discovered& resources) {
  std::vector<std::string> reasons;
  for (auto& resource : resources.clusters) {
    if (auto prepared = transports_.prepare(resource.spec); !prepared.ok()) reasons.push_back(prepared.error().detail);
    if (auto loaded = loadFilters(resource.spec); !loaded.ok()) reasons.push_back(loaded.error().detail);
  }
  if (!reasons.empty()) return reasons;
  std::set<std::string, std::less<>> named;
  for (auto& resource : resources.clusters) {
    named.insert(resource.name);
    put(resource, resources.version);
  }
  std::vector<std::string> gone;
  for (const auto& [name, entry] : entries_) {
    if (entry.status.dynamic && !named.contains(name)) gone.push_back(name);
  }
  for (const std::string& name : gone) {
    letGo(entries_.find(name)->second.spec);
    entries_.erase(name);
    removed_.add();
    if (begun_) crew_.removeCluster(name);
    LOG(Upstream, Info, "cds: removed cluster '{}'", name);
  }
  active_.set(static_cast<int64_t>(entries_.size()));
  return {};
}

void ClusterTable::put(config::Resource<upstream::ClusterSpec>& resource, const std::string& version) {
  const auto known = entries_.find(resource.name);
  const bool present = known != entries_.end();
  if (present && !known->second.status.dynamic) {
    LOG(Upstream, Info, "cds: cluster '{}' is the bootstrap's and stays as it is", resource.name);
    return;
  }
  if (present && known->second.bytes == resource.bytes) return;
  Entry& entry = entries_[resource.name];
  letGo(entry.spec);
  entry.endpoints.reset();
  entry.assignment.reset();
  entry.spec = std::move(resource.spec);
  entry.bytes = std::move(resource.bytes);
  entry.status = {resource.name, version, std::move(resource.dump), environment_.loop.wallNow(), true};
  (present ? modified_ : added_).add();
  LOG(Upstream, Info, "cds: {} cluster '{}'", present ? "updated" : "added", resource.name);
  if (begun_) crew_.putCluster(entry.spec);
  followEndpoints(entry);
}

void ClusterTable::letGo(const upstream::ClusterSpec& spec) {
  std::erase_if(leaving_, [](const auto& context) { return context.use_count() == 1; });
  if (spec.live_tls != nullptr) leaving_.push_back(spec.live_tls);
}

// --- EDS ---

void ClusterTable::followEndpoints(Entry& entry) {
  if (!entry.spec.endpoint_source) return;
  const std::string& name = entry.spec.name;
  const std::string& stat_name = entry.spec.alt_stat_name.empty() ? name : entry.spec.alt_stat_name;
  entry.endpoints = std::make_unique<xds::Subscription>(
      environment_, config::ResourceKind::Endpoints, *entry.spec.endpoint_source, fmt::format("eds '{}'", name),
      fmt::format("cluster.{}.", stat_name),
      [this, name](config::Discovered& resources) { return takeEndpoints(name, resources); });
  // As Envoy: without a first answer that can be taken the cluster goes on, empty.
  if (!entry.endpoints->start() && entry.assignment == nullptr) assign(entry, {});
}

std::vector<std::string> ClusterTable::takeEndpoints(const std::string& cluster, config::Discovered& resources) {
  Entry& entry = entries_.find(cluster)->second;
  const std::string& wanted = entry.spec.service_name.empty() ? cluster : entry.spec.service_name;
  const std::string stat_name = entry.spec.alt_stat_name.empty() ? cluster : entry.spec.alt_stat_name;
  if (resources.endpoints.empty()) {
    environment_.stats.counter(fmt::format("cluster.{}.update_empty", stat_name)).add();
    if (entry.assignment == nullptr) assign(entry, {});
    return {};
  }
  if (resources.endpoints.size() > 1) {
    return {fmt::format("Unexpected EDS resource length: {}", resources.endpoints.size())};
  }
  auto& resource = resources.endpoints.front();
  if (resource.name != wanted) {
    return {fmt::format("Unexpected EDS cluster (expecting {}): {}", wanted, resource.name)};
  }
  entry.assignment_dump = std::move(resource.dump);
  assign(entry, std::move(resource.spec));
  return {};
}

void ClusterTable::assign(Entry& entry, upstream::Assignment assignment) {
  if (entry.assignment != nullptr) updated_.add();
  entry.assignment = std::make_shared<const upstream::Assignment>(std::move(assignment));
  if (begun_) crew_.assign(entry.spec.name, entry.assignment);
}

// --- For the admin pages ---

void ClusterTable::describe(DiscoveryStatus& status) const {
  if (cds_ != nullptr) status.clusters_version = cds_->version();
  for (const auto& [name, entry] : entries_) {
    status.clusters.push_back(entry.status);
    if (!entry.assignment_dump.empty()) {
      status.endpoints.push_back({name, entry.endpoints == nullptr ? "" : entry.endpoints->version(),
                                  entry.assignment_dump, entry.status.updated, true});
    }
  }
}

}  // namespace weir::server
