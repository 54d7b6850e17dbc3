import Glibc

/// The terminal that the full-screen view runs in. All use of terminal control is here.
///
/// Between `enter` and `leave` it shows another screen without a cursor and sends each key at once. It is put back also
/// when the program is ended by a signal, its own faults among them.
enum Terminal {
    private static let entering = Array("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J".utf8)
    private static let leaving = Array("\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l".utf8)

    /// Lines and columns; 24 by 80 where the terminal does not say.
    static var size: (height: Int, width: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
            return (24, 80)
        }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    /// - Returns: false where input or output is no terminal.
    static func enter() -> Bool {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &saved) == 0 else {
            return false
        }
        restoring = leaving
        var raw = saved
        cfmakeraw(&raw)
        // Signals first: from here on there is something to put back.
        for signal in fatalSignals { handle(signal, with: restoreAndDie) }
        // A parent may have started us with signals blocked, and then nothing could end us but SIGKILL.
        var ours = sigset_t()
        sigemptyset(&ours)
        for signal in fatalSignals + [SIGWINCH] { sigaddset(&ours, signal) }
        pthread_sigmask(SIG_UNBLOCK, &ours, nil)
        // Does nothing but end the wait for keys, so that the new size is drawn.
        handle(SIGWINCH) { _ in }
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) == 0 else { return false }
        write(entering)
        return true
    }

    static func leave() {
        write(leaving)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
        for number in fatalSignals { signal(number, SIG_DFL) }
    }

    /// Gives the terminal back to the shell until the program is continued.
    static func suspend() {
        leave()
        kill(getpid(), SIGTSTP)
        _ = enter()
    }

    /// Waits for bytes.
    ///
    /// - Returns: empty after `milliseconds` and when the size changed; nil when there is no more input.
    static func read(waiting milliseconds: Int32) -> [UInt8]? {
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let ready = poll(&waiting, 1, milliseconds)
        if ready == 0 || (ready < 0 && errno == EINTR) { return [] }
        if ready < 0 { return nil }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return [] }
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    /// Draws a whole screen in one piece.
    static func draw(_ screen: Screen) {
        var text = ""
        for (row, line) in screen.lines.enumerated() {
            text +=
                "\u{1B}[\(row + 1);1H\u{1B}[0m" + code(line.style) + (line.coloured ?? line.text) + "\u{1B}[0m\u{1B}[K"
        }
        write(Array(text.utf8))
    }

    private static func code(_ style: Screen.Style) -> String {
        switch style {
        case .plain, .picture: ""
        case .bar, .selected: "\u{1B}[7m"
        case .header: "\u{1B}[1m"
        case .keys: "\u{1B}[2m"
        }
    }

    private static func write(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR, errno != EAGAIN { return }
            done += max(0, count)
        }
    }

    // MARK: Signals

    private static let fatalSignals = [
        SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE,
    ]

    private static func handle(_ signal: Int32, with handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        sigaction(signal, &action, nil)
    }

    private static let restoreAndDie: @convention(c) (Int32) -> Void = { number in
        // Only calls that a signal handler may make: write, tcsetattr, signal, raise (signal-safety(7)).
        restoring.withUnsafeBytes { _ = Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
        signal(number, SIG_DFL)
        raise(number)
    }

    // Written by `enter` before any handler is installed, and read by handlers after.
    nonisolated(unsafe) private static var saved = termios()
    nonisolated(unsafe) private static var restoring: [UInt8] = []
}
