//! How a session begins, and how an image leaves it.

use crate::engine::{Desk, History, Refusal, Saved, Tally};
use crate::image::{Format, Image, write_archive};
use crate::play::{self, Doing};
use crate::view::{Archive, ArchiveFormat, Reply};
use crate::world::World;

use super::Session;

impl Session {
    /// Begins with a play: its setup, then its acts up to the first pause.
    pub(super) fn open_play(&mut self, source: &str) -> Result<Reply, Refusal> {
        let play = play::parse(source).map_err(|problems| {
            let first = problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            let more = problems.len().saturating_sub(1);
            let refusal = Refusal::new(format!("The play cannot be read: {first}."));
            match more {
                0 => refusal,
                more => refusal.help(format!("There are {more} more problems.")),
            }
        })?;
        let mut desk = Desk::new(World::START);
        desk.title = play.title.as_str().into();
        desk.about = play.about.as_str().into();
        let mut tally = Tally::default();
        for edit in &play.setup {
            desk.apply(edit, &mut tally)?;
        }
        for act in play.opening() {
            let fail = |why: String| Refusal::new(format!("Line {} of the play: {why}", act.line));
            match &act.doing {
                Doing::Build(flags) => {
                    let options = desk.workspace.options().clone();
                    let own = play::with_flags(&options, flags);
                    desk.apply(&crate::view::Edit::Options { options: own }, &mut tally)?;
                    let mut building = match desk.begin(&self.world) {
                        Ok(building) => building,
                        Err(parts) => return Ok(Reply::Needs(parts)),
                    };
                    if let Err(parts) = building.run(&self.world) {
                        return Ok(Reply::Needs(parts));
                    }
                    desk = building.finish();
                    desk.apply(&crate::view::Edit::Options { options }, &mut tally)?;
                }
                doing => {
                    if let Some(edit) = play::edit_of(doing, &desk.workspace).map_err(fail)? {
                        desk.apply(&edit, &mut tally)?;
                    }
                }
            }
        }
        if let Some(needs) = self.asks(&desk) {
            return Ok(needs);
        }
        self.history = History::default();
        self.try_first = play.try_first;
        self.arrive(desk);
        Ok(self.state())
    }

    /// Begins with a saved session, and builds what was built last, so that the cache is there.
    pub(super) fn open_saved(&mut self, saved: Saved) -> Result<Reply, Refusal> {
        let mut desk = Desk::new(World::START);
        desk.title = saved.title.as_str().into();
        desk.about = saved.about.as_str().into();
        let present = saved.workspace(World::START)?;
        if let Some(built) = &saved.built {
            desk.workspace = built.workspace(World::START)?;
            let mut building = match desk.clone().begin(&self.world) {
                Ok(building) => building,
                Err(parts) => return Ok(Reply::Needs(parts)),
            };
            if let Err(parts) = building.run(&self.world) {
                return Ok(Reply::Needs(parts));
            }
            desk = building.finish();
        }
        let now = desk.workspace.now();
        desk.workspace = present;
        desk.workspace.advance_to(now);
        if let Some(needs) = self.asks(&desk) {
            return Ok(needs);
        }
        self.history = History::default();
        self.try_first = None;
        self.arrive(desk);
        Ok(self.state())
    }
}

/// The image as an archive.
///
/// # Errors
/// A layer whose bytes are not held here.
pub(super) fn archive(
    image: &Image,
    format: ArchiveFormat,
    build: u32,
) -> Result<Archive, Refusal> {
    let (format, suffix) = match format {
        ArchiveFormat::Oci => (Format::Oci, "oci"),
        ArchiveFormat::Docker => (Format::Docker, "docker"),
    };
    let bytes = write_archive(image, format, "layerwise").map_err(|error| {
        Refusal::new(format!("The image cannot be exported: {error}."))
            .help("Export an image whose base image is made up of files that are here.")
    })?;
    Ok(Archive {
        name: format!("build-{build}.{suffix}.tar"),
        bytes,
    })
}
