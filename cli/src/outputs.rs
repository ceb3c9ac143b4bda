//! Output files: checked before the work, written aside and put in place after it, all or none.
//!
//! Knows files and their names; what goes into them is the caller's business.

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{Failure, Outcome, of_file, reason};
use crate::interrupt;

/// What stands for the number of the step in a file's name.
pub(crate) const STEP: &str = "{step}";

/// How many links are followed, as Linux does it.
const LINKS: usize = 40;

/// Refuses what could not be written later: two outputs of one name, folders that do not exist or cannot be written,
/// and the files that the work reads as its `sources`. Each output comes with the flag that names it, for messages.
///
/// # Errors
/// When one of the files could not be written.
pub(crate) fn check(outputs: &[(String, PathBuf)], sources: &[&Path]) -> Outcome {
    let sources: Vec<PathBuf> = sources.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let mut seen = HashSet::new();
    for (shown, path) in outputs {
        let target = target(path);
        if target.is_dir() {
            return Err(Failure::failed(format!("`{shown}`: it is a folder; name a file in it")));
        }
        let folder = folder(&target);
        match fs::metadata(&folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                let folder = folder.display();
                return Err(Failure::failed(format!("`{shown}`: `{folder}` is not a folder")));
            }
            Err(error) => {
                let (folder, why) = (folder.display(), reason(&error));
                return Err(Failure::failed(format!(
                    "`{shown}` would be written into the folder `{folder}`: {why}; make it first, or name another"
                )));
            }
        }
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_symlink() && fs::metadata(&target).is_err() => {
                return Err(Failure::failed(format!(
                    "`{shown}`: it is a link that leads to no file; remove it"
                )));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::failed(format!("`{shown}` cannot be written: {}", reason(&error))));
            }
            _ => {}
        }
        if is_plain(&target) {
            // Without a name, and gone with the handle.
            tempfile::tempfile_in(&folder).map_err(|error| {
                let (folder, why) = (folder.display(), reason(&error));
                Failure::failed(format!("`{shown}`: the folder `{folder}` cannot be written: {why}"))
            })?;
        }
        let name = target.file_name().map(PathBuf::from).unwrap_or_default();
        let whole = fs::canonicalize(&folder).unwrap_or(folder).join(name);
        if sources.contains(&whole) {
            return Err(Failure::usage(format!(
                "`{shown}` would overwrite the WGSL that is to be run; give the output a name of its own"
            )));
        }
        if is_plain(&target) && !seen.insert(whole) {
            return Err(Failure::usage(format!("`{shown}`: two outputs have this name; give each its own")));
        }
    }
    Ok(())
}

/// Files that are written, but not yet in their places.
#[derive(Default)]
pub(crate) struct Staged {
    files: Vec<(NamedTempFile, PathBuf)>,
    direct: Vec<(Vec<u8>, PathBuf)>,
}

impl Staged {
    /// Writes one file aside, in the folder where it will be.
    ///
    /// # Errors
    /// When it cannot be written; nothing is in its place then.
    pub(crate) fn add(
        &mut self,
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Outcome {
        let failed = |error: io::Error| of_file(path, "write", &error);
        let target = target(path);
        if !is_plain(&target) {
            // A device or pipe has no place beside it, and takes what comes.
            let mut bytes = Vec::new();
            write(&mut bytes).map_err(failed)?;
            self.direct.push((bytes, target));
            return Ok(());
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".warpweft-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As for any file of the user: the process's mask takes its part off.
            let mode = fs::metadata(&target).map_or(0o666, |existing| existing.permissions().mode() & 0o777);
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        let mut file = {
            let mut aside = interrupt::files();
            let file = builder.tempfile_in(folder(&target)).map_err(failed)?;
            aside.push(file.path().to_path_buf());
            file
        };
        {
            let mut buffered = BufWriter::new(file.as_file_mut());
            write(&mut buffered).map_err(failed)?;
            buffered.flush().map_err(failed)?;
        }
        self.files.push((file, target));
        Ok(())
    }

    /// Puts every file in its place.
    ///
    /// # Errors
    /// When one cannot be put there; files that this call had newly made are taken away again.
    pub(crate) fn commit(self) -> Outcome {
        // First, as what a device or pipe has taken cannot be taken back, and these refuse more often.
        for (bytes, target) in self.direct {
            let written =
                fs::OpenOptions::new().write(true).open(&target).and_then(|mut file| file.write_all(&bytes));
            written.map_err(|error| of_file(&target, "write", &error))?;
        }
        let mut made: Vec<PathBuf> = Vec::new();
        // Held until all are in place: a signal finds all of them or none.
        let mut aside = interrupt::files();
        for (file, target) in self.files {
            let new = !target.exists();
            aside.retain(|path| path != file.path());
            if let Err(error) = file.persist(&target) {
                for path in &made {
                    let _ = fs::remove_file(path);
                }
                return Err(of_file(&target, "write", &error.error));
            }
            if new {
                made.push(target);
            }
        }
        Ok(())
    }
}

/// Where a path leads: a link is followed, so that it stays a link.
fn target(path: &Path) -> PathBuf {
    let mut target = path.to_path_buf();
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return target;
    }
    if fs::metadata(path).is_ok() {
        // The links of open pipes, as in `/dev/stdout`, can be opened but lead to no path.
        return fs::canonicalize(path).unwrap_or(target);
    }
    // Step by step to a file that is yet to be made.
    for _ in 0..LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = folder(&target).join(next),
            Err(_) => break,
        }
    }
    target
}

/// The path is a file, or will be one.
fn is_plain(target: &Path) -> bool {
    fs::metadata(target).map_or(true, |found| found.is_file())
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_in_place_before_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&a, "old").unwrap();
        let mut staged = Staged::default();
        staged.add(&a, |w| w.write_all(b"new a")).unwrap();
        staged.add(&b, |w| w.write_all(b"new b")).unwrap();
        assert_eq!(fs::read_to_string(&a).unwrap(), "old");
        assert!(!b.exists());
        staged.commit().unwrap();
        assert_eq!(fs::read_to_string(&a).unwrap(), "new a");
        assert_eq!(listing(folder.path()), ["a", "b"]);
    }

    #[test]
    fn a_failure_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let mut staged = Staged::default();
        staged.add(&a, |w| w.write_all(b"a")).unwrap();
        let failed = staged.add(&b, |w| {
            w.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(failed.unwrap_err().to_string().contains("no more"));
        drop(staged);
        assert_eq!(listing(folder.path()), [""; 0]);

        let mut staged = Staged::default();
        staged.add(&a, |w| w.write_all(b"a")).unwrap();
        staged.add(&b, |w| w.write_all(b"b")).unwrap();
        // Something that no file can replace takes the place meanwhile.
        fs::create_dir(&b).unwrap();
        assert!(staged.commit().unwrap_err().to_string().contains("cannot write"));
        assert_eq!(listing(folder.path()), ["b"]);
    }

    fn checked(paths: &[PathBuf]) -> Outcome {
        let outputs: Vec<_> =
            paths.iter().map(|path| (format!("--out x={}", path.display()), path.clone())).collect();
        check(&outputs, &[])
    }

    #[test]
    fn the_check_names_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        checked(&[at("a"), at("b")]).unwrap();
        let missing = checked(&[at("none/a")]).unwrap_err().to_string();
        assert!(missing.contains("none`: there is no such file or folder; make it first"), "{missing}");
        let twice = checked(&[at("a"), at("./a")]).unwrap_err();
        assert!(twice.code() == 2 && twice.to_string().contains("two outputs have this name"), "{twice}");
        let directory = checked(&[folder.path().into()]).unwrap_err().to_string();
        assert!(directory.contains("it is a folder"), "{directory}");
        fs::write(at("file"), "").unwrap();
        assert!(checked(&[at("file/a")]).unwrap_err().to_string().contains("is not a folder"));
        assert_eq!(listing(folder.path()), ["file"]);
    }

    #[test]
    fn sources_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("k.wgsl");
        fs::write(&source, "fn f() {}").unwrap();
        let again = folder.path().join(".").join("k.wgsl");
        let failure = check(&[("--out x=k.wgsl".into(), again)], &[&source]).unwrap_err();
        assert_eq!(failure.code(), 2);
        assert!(failure.to_string().contains("overwrite the WGSL"), "{failure}");
        check(&[("--out x=k.npy".into(), folder.path().join("k.npy"))], &[&source]).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_that_refuses_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut staged = Staged::default();
        staged.add(&folder.path().join("a"), |w| w.write_all(b"a")).unwrap();
        staged.add(Path::new("/dev/full"), |w| w.write_all(b"b")).unwrap();
        assert!(staged.commit().unwrap_err().to_string().contains("`/dev/full`: the disk is full"));
        assert_eq!(listing(folder.path()), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_nothing_yet_lead_there_and_circles_are_told() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("second", at("first")).unwrap();
        symlink("real", at("second")).unwrap();
        checked(&[at("first")]).unwrap();
        let twice = checked(&[at("first"), at("real")]).unwrap_err().to_string();
        assert!(twice.contains("two outputs"), "{twice}");
        let mut staged = Staged::default();
        staged.add(&at("first"), |w| w.write_all(b"new")).unwrap();
        staged.commit().unwrap();
        assert_eq!(fs::read_to_string(at("real")).unwrap(), "new");
        assert!(fs::symlink_metadata(at("first")).unwrap().is_symlink());
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        let circle = checked(&[at("a")]).unwrap_err().to_string();
        assert!(circle.contains("a link that leads to no file"), "{circle}");
        let long = checked(&[at(&"n".repeat(300))]).unwrap_err().to_string();
        assert!(long.contains("cannot be written"), "{long}");
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_links_and_files_are_readable_by_others() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        let mut staged = Staged::default();
        staged.add(&link, |w| w.write_all(b"new")).unwrap();
        staged.commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
