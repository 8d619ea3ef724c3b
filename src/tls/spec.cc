#include "tls/spec.h"

namespace weir::tls {

ValidationSpec merged(ValidationSpec base, const ValidationSpec& over) {
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  if (over.trusted_ca.given()) base.trusted_ca = over.trusted_ca;
  base.system_roots = (base.system_roots && !over.trusted_ca.given()) || over.system_roots;
  if (over.crl.given()) base.crl = over.crl;
  append(base.sans, over.sans);
  append(base.certificate_hashes, over.certificate_hashes);
  append(base.spkis, over.spkis);
  base.allow_expired |= over.allow_expired;
  base.accept_untrusted |= over.accept_untrusted;
  base.only_leaf_crl |= over.only_leaf_crl;
  base.suppress_ca_list |= over.suppress_ca_list;
  if (over.max_depth) base.max_depth = over.max_depth;
  if (!over.watched_directory.empty()) base.watched_directory = over.watched_directory;
  return base;
}

}  // namespace weir::tls
