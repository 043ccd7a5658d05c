//! Proximity: sessions in person, over the vectors and against those who would disturb them.

mod requests;
mod sessions;
mod vectors;
