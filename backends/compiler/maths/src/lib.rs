//! Elementary functions, built as vector IR.
