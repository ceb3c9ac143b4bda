//! A history's file: read whole, replaced whole, set aside when it cannot be read.
//!
//! A process that is killed at any moment leaves the old file or the new one. Knows nothing of what is learnt.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::history::History;
use crate::text::{self, Unreadable};

/// Larger files are none of ours.
const LARGEST: u64 = 64 << 20;
/// How often, and how far apart, a lock is tried that another process holds.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// The file of a history, and those beside it.
#[derive(Debug)]
pub(crate) struct HistoryFile {
    path: PathBuf,
    /// What files of ours beside it begin with.
    name: OsString,
}

/// The right to replace the file, until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// `None` where the file system knows no locks: then who writes last wins, whole.
    _held: Option<File>,
    /// Nobody else replaces the file.
    exclusive: bool,
}

/// What was found.
pub(crate) enum Found {
    Nothing,
    History(History),
    Unreadable(Unreadable),
}

impl HistoryFile {
    pub(crate) fn new(path: &Path) -> Self {
        let name = path.file_name().unwrap_or("history.json".as_ref()).to_os_string();
        Self { path: path.to_path_buf(), name }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.name.clone();
        name.push(ending);
        self.folder().join(name)
    }

    /// Makes the folder and takes the lock; `None` when other processes keep holding it.
    pub(crate) fn lock(&self) -> io::Result<Option<Lock>> {
        fs::create_dir_all(self.folder())?;
        // Not the file itself, which is replaced.
        let file = File::options().create(true).truncate(false).write(true).open(self.beside(".lock"))?;
        for attempt in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Lock { _held: Some(file), exclusive: true })),
                Err(TryLockError::WouldBlock) if attempt + 1 < TRIES => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    tracing::debug!(%error, file = %self.path.display(), "the file system knows no locks");
                    return Ok(Some(Lock { _held: None, exclusive: false }));
                }
            }
        }
        Ok(None)
    }

    /// Reads the file.
    pub(crate) fn read(&self) -> io::Result<Found> {
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            Ok(file) => file.take(LARGEST + 1).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        if bytes.len() as u64 > LARGEST {
            return Ok(Found::Unreadable(Unreadable::Nonsense(format!("more than {LARGEST} bytes"))));
        }
        Ok(match text::read(&bytes) {
            Ok(history) => Found::History(history),
            Err(unreadable) => Found::Unreadable(unreadable),
        })
    }

    /// Replaces the file, whole or not at all.
    pub(crate) fn replace(&self, lock: &Lock, history: &History) -> io::Result<()> {
        if lock.exclusive {
            self.sweep();
        }
        let mut prefix = self.name.clone();
        prefix.push(".new-");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix);
        #[cfg(unix)]
        {
            // Readable by all who share the folder, unlike other temporary files.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o644));
        }
        let mut temporary = builder.tempfile_in(self.folder())?;
        temporary.write_all(text::write(history).as_bytes())?;
        temporary.as_file().sync_all()?;
        temporary.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Moves the file out of the way, under a name that nothing has yet.
    pub(crate) fn set_aside(&self, _lock: &Lock, why: &Unreadable) -> io::Result<PathBuf> {
        let what = if matches!(why, Unreadable::Version(_)) { "old" } else { "broken" };
        let mut number = 1;
        loop {
            let aside = self.beside(&format!(".{what}-{number}"));
            if !aside.try_exists()? {
                fs::rename(&self.path, &aside)?;
                return Ok(aside);
            }
            number += 1;
        }
    }

    /// Removes what killed processes left half written.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.folder()) else { return };
        let mut prefix = self.name.clone();
        prefix.push(".new-");
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
