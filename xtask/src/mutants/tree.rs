//! A copy of the tree, in which mutants are written, and its tests.

use super::MutantsError;
use super::schema::{self, Mutant};
use crate::shell;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The copy, always at the same place, so that what was compiled before is not compiled again.
pub(super) struct Tree {
    root: PathBuf,
    package: String,
    /// The sources of the package as they were: whoever works on meanwhile does not disturb.
    originals: BTreeMap<String, String>,
}

/// The tests of a package, compiled.
pub(super) struct Tests {
    executables: Vec<PathBuf>,
    folder: PathBuf,
}

/// A test that takes longer hangs, and that is noticed. Tests of all packages together take seconds.
const LONGEST: Duration = Duration::from_secs(300);

/// Tells the program which mutant is awake.
const AWAKE: &str = "AMPARO_MUTANT";

const CONSTANT: &str = "const fn ";

const SWITCH: &str = r#"
/// Which mutant is awake.
pub fn mutant() -> usize {
    static AWAKE: std::sync::LazyLock<Option<usize>> =
        std::sync::LazyLock::new(|| std::env::var("AMPARO_MUTANT").ok().and_then(|id| id.parse().ok()));
    AWAKE.unwrap_or(usize::MAX)
}
"#;

impl Tree {
    /// Copies what is in the tree, committed or not.
    pub(super) fn copied(package: &str) -> Result<Self, MutantsError> {
        let root = target().join("tree");
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let files = shell::output(Command::new("git").args(list).current_dir(shell::root()))?;
        let mut originals = BTreeMap::new();
        for file in files.split('\0').filter(|file| !file.is_empty()) {
            let from = shell::root().join(file);
            if from.is_file() {
                let bytes = fs::read(&from).map_err(|source| failed(&from, source))?;
                write(&root.join(file), &bytes)?;
                if file.starts_with(&format!("{package}/src/")) {
                    originals.insert(file.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
        Ok(Self { root, package: package.to_owned(), originals })
    }

    /// Writes the files of `mutants` with those that are `asleep` in them.
    pub(super) fn write<'m>(
        &self,
        mutants: &'m [Mutant],
        asleep: impl Iterator<Item = &'m Mutant>,
    ) -> Result<(), MutantsError> {
        let mut files: BTreeMap<&str, Vec<&Mutant>> =
            mutants.iter().map(|mutant| (mutant.file.as_str(), Vec::new())).collect();
        asleep.for_each(|mutant| files.entry(&mutant.file).or_default().push(mutant));
        for (file, mutants) in files {
            write(&self.root.join(file), schema::with_all(self.original(file), &mutants).as_bytes())?;
        }
        let library = format!("{}/src/lib.rs", self.package);
        write(&self.root.join(&library), format!("{}{SWITCH}", self.original(&library)).as_bytes())
    }

    /// Writes the files of `mutants` as they were, but for the one change of `mutant`.
    pub(super) fn write_alone(&self, mutants: &[Mutant], mutant: &Mutant) -> Result<(), MutantsError> {
        self.write(mutants, std::iter::empty())?;
        write(&self.root.join(&mutant.file), schema::changed(self.original(&mutant.file), mutant).as_bytes())
    }

    fn original(&self, file: &str) -> &str {
        self.originals.get(file).map_or("", String::as_str)
    }

    /// Those of the mutants in the tree that do not compile; `None` when the tree was mended and is to be tried again.
    pub(super) fn refused_by_the_compiler(&mut self) -> Result<Option<BTreeSet<usize>>, MutantsError> {
        let (mut found, mut stray, mut mended) = (BTreeSet::new(), None, false);
        for message in self.cargo(&["check", "--lib"]) {
            let Some(message) = message.get("message").filter(|message| message["level"] == "error") else { continue };
            let spans = message["spans"].as_array().into_iter().flatten();
            let mutant = spans.filter(|span| span["is_primary"] == true).find_map(|span| {
                let text = fs::read_to_string(self.root.join(span["file_name"].as_str()?)).ok()?;
                schema::standing_at(&text, usize::try_from(span["byte_start"].as_u64()?).ok()?)
            });
            match mutant {
                Some(id) => drop(found.insert(id)),
                None if message.pointer("/code/code").is_some_and(|code| code == "E0015") => {
                    mended |= message.pointer("/spans/0").map_or(Ok(false), |span| self.loosen(span))?;
                }
                None => stray = stray.or_else(|| Some(message["rendered"].as_str()?.to_owned())),
            }
        }
        // A function with a mutant in it is not `const`, and it may be one of those that are found.
        match stray {
            _ if mended => Ok(None),
            Some(rendered) if found.is_empty() => Err(MutantsError::Build(self.package.clone(), rendered)),
            _ => Ok(Some(found)),
        }
    }

    /// A function that is `const` cannot call one with a mutant in it: it loses that word, too.
    fn loosen(&mut self, span: &Value) -> Result<bool, MutantsError> {
        let (Some(file), Some(byte)) = (span["file_name"].as_str(), span["byte_start"].as_u64()) else {
            return Ok(false);
        };
        let text = fs::read_to_string(self.root.join(file)).map_err(|source| failed(Path::new(file), source))?;
        let before = usize::try_from(byte).ok().and_then(|byte| text.get(..byte)).unwrap_or_default();
        let Some(start) = before.rfind(CONSTANT) else { return Ok(false) };
        let head = before[start..].split('(').next().unwrap_or_default();
        let Some(original) = self.originals.get_mut(file).filter(|original| original.contains(head)) else {
            return Ok(false);
        };
        *original = original.replacen(head, &head.replacen(CONSTANT, "fn ", 1), 1);
        // Where the file has mutants in it, it is written anew with them.
        write(&self.root.join(file), original.as_bytes())?;
        Ok(true)
    }

    /// Compiles the tests; `None` where that is not possible.
    pub(super) fn build(&self) -> Result<Option<Tests>, MutantsError> {
        // Tests of the whole world are left out.
        let which = ["--lib", "--test", if self.package == "credentials" { "it" } else { "desk" }];
        let messages = self.cargo(&[&["test", "--no-run"], &which[..]].concat());
        // The library's own come last: those that bear the name of the module were asked already.
        let executable = |message: &Value| {
            let is_test = message.pointer("/profile/test") == Some(&Value::Bool(true));
            let is_library = message.pointer("/target/kind/0").is_some_and(|kind| kind == "lib");
            Some((is_library, PathBuf::from(message["executable"].as_str().filter(|_| is_test)?)))
        };
        let is_built =
            messages.iter().any(|message| message["reason"] == "build-finished" && message["success"] == true);
        let executables: BTreeSet<_> = messages.iter().filter_map(executable).collect();
        let executables = executables.into_iter().map(|(_, path)| path).collect();
        Ok(is_built.then(|| Tests { executables, folder: self.root.join(&self.package) }))
    }

    /// What cargo says, line by line: ours without optimisation, what we depend on as ever.
    fn cargo(&self, arguments: &[&str]) -> Vec<Value> {
        let mut cargo = shell::cargo();
        cargo.current_dir(&self.root).args(arguments).args(["--package", &self.package, "--message-format", "json"]);
        cargo.env("CARGO_TARGET_DIR", target().join("build"));
        cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0").env("CARGO_PROFILE_DEV_DEBUG", "0");
        let output = cargo.stdin(Stdio::null()).stderr(Stdio::null()).output();
        let text = output.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Tests {
    /// Whether the tests that one of `filters` matches, all without any, pass with this mutant awake.
    pub(super) fn pass(&self, awake: Option<usize>, filters: &[&str]) -> bool {
        self.executables.iter().all(|executable| self.passes(executable, awake, filters))
    }

    fn passes(&self, executable: &Path, awake: Option<usize>, filters: &[&str]) -> bool {
        let mut command = Command::new(executable);
        command
            .args(filters)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command.env(AWAKE, awake.map_or_else(String::new, |id| id.to_string()));
        // The copy has no neighbours: published vectors are where they are for the tree.
        let data = shell::root().join("../shared/data");
        if std::env::var_os("AMPARO_DATA").is_none() && data.is_dir() {
            command.env("AMPARO_DATA", data);
        }
        command.spawn().is_ok_and(|mut child| {
            let passes = no_test_fails(&mut child);
            // One failure is enough: the others need not end.
            passes && child.wait().is_ok_and(|status| status.success()) || {
                let _ = child.kill();
                let _ = child.wait();
                false
            }
        })
    }
}

/// Reads what the tests say until one failed, or all said what they have to say.
fn no_test_fails(child: &mut Child) -> bool {
    let Some(output) = child.stdout.take() else { return false };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let fails = BufReader::new(output).lines().map_while(Result::ok).any(|line| line.ends_with("FAILED"));
        sender.send(!fails)
    });
    receiver.recv_timeout(LONGEST).unwrap_or(false)
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from);
    target.join("mutants")
}

/// Writes only what is not so already: what did not change is not compiled again.
fn write(path: &Path, bytes: &[u8]) -> Result<(), MutantsError> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(|source| failed(path, source))?;
    fs::write(path, bytes).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: std::io::Error) -> MutantsError {
    MutantsError::File { path: path.display().to_string(), source }
}
