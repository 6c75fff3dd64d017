#pragma once
// The file descriptors of the process, shared out: no part can take what another needs, so that the
// API answers while models are slow, and the store writes while connections are many.
#include <cstddef>

namespace perdure::server {

struct DescriptorShares {
  size_t connections = 0;  // that clients open
  size_t calls = 0;        // to models, tools and tool servers, on the way at once
};

// As many as the system allows this process; raises what it may use to that.
size_t raise_descriptor_limit();

// `children`: processes that run at once. What is too little for all parts is shared out all the
// same: a few of each.
DescriptorShares share_descriptors(size_t limit, size_t children);

}  // namespace perdure::server
