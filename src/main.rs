//! Parses the command line and runs one command.

fn main() -> std::process::ExitCode {
    porchlight::cli::main()
}
