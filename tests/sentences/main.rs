//! Every sentence is compared literally, with a file that provokes it; and no sentence is forgotten.

mod building;
mod choices;
#[path = "../common/files.rs"]
mod files;
#[path = "../golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod guard;
mod hdf5;
mod likeness;
mod literals;
mod queries;
mod r;
mod refusing;
mod references;
mod stores;
#[path = "../golden/tables.rs"]
#[allow(dead_code)]
mod tables;
mod text;
mod zarr;
