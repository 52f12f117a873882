//! A typed, fast and honest client of the Linux kernel's load balancer (IPVS).
