using System.Runtime.InteropServices;

namespace Dunlin.Contracts.Processes;

/// <summary>How the terminal of standard input was found: a program that ends while it asks for a passphrase leaves it without echo.</summary>
internal sealed partial class TerminalMode
{
    // struct termios has 60 bytes with glibc on Linux, whatever the architecture; nobody looks into it here.
    private const int ByteCount = 128;
    private const int StandardInput = 0, Now = 0;
    private readonly byte[] _mode = new byte[ByteCount];
    private readonly bool _isTerminal;

    public TerminalMode() => _isTerminal = Get(StandardInput, _mode) == 0;

    /// <summary>A program in the background has changed nothing, and would be stopped for trying (SIGTTOU).</summary>
    public void Restore()
    {
        if (_isTerminal && ForegroundGroup(StandardInput) == OwnGroup()) _ = Set(StandardInput, Now, _mode);
    }

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int ForegroundGroup(int descriptor);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int OwnGroup();

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int Get(int descriptor, Span<byte> mode);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int Set(int descriptor, int actions, ReadOnlySpan<byte> mode);
}
