//! Counters of everything that was moved.

/// What moved over the link between the host and one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// The device's name.
    pub device: String,
    /// Transfers from the host.
    pub uploads: u64,
    /// Their bytes.
    pub uploaded_bytes: u64,
    /// Transfers to the host.
    pub downloads: u64,
    /// Their bytes.
    pub downloaded_bytes: u64,
    /// Bytes set to zero on the device instead of being moved.
    pub filled_bytes: u64,
}

/// Counters since the runtime was made or [`Runtime::reset_stats`](crate::Runtime::reset_stats) was called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// One per device, in the order of [`Runtime::devices`](crate::Runtime::devices).
    pub links: Vec<LinkStats>,
    /// Copies within host memory, made because a snapshot was looking at what a launch was to write.
    pub host_copies: u64,
    /// Their bytes.
    pub host_copied_bytes: u64,
    /// Copies that left a full device.
    pub evictions: u64,
    /// Launches handed to a device.
    pub launches: u64,
}

impl Stats {
    /// Bytes from the host to all devices.
    pub fn uploaded_bytes(&self) -> u64 {
        self.links.iter().map(|l| l.uploaded_bytes).sum()
    }

    /// Bytes from all devices to the host.
    pub fn downloaded_bytes(&self) -> u64 {
        self.links.iter().map(|l| l.downloaded_bytes).sum()
    }
}
