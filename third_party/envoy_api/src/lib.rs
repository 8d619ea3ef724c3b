//! Empty: this crate only names the package that ships the .proto files.
