using Dunlin.Contracts.Processes;

namespace Dunlin.Fleet;

/// <summary>What the process ends with (sysexits.h where it has a word for it); the list for people is in docs/fleet.md.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>A bug; System.CommandLine ends so by itself, and where an option is wrong.</summary>
    public const int Bug = 1;

    /// <summary>push, revoke with --wait: a device ran the release and went back to the one before. The worst of several devices counts.</summary>
    public const int RolledBack = 10;

    /// <summary>push, revoke with --wait: a device refused the release, or a newer directive replaced it. command: the device refused it.</summary>
    public const int Rejected = 11;

    /// <summary>push, revoke with --wait: a device has not finished within the time.</summary>
    public const int Unfinished = 12;

    /// <summary>A signed document still lacks signatures for its threshold.</summary>
    public const int BelowThreshold = 13;

    /// <summary>A bundle, key or device is missing or not what it must be.</summary>
    public const int InputMissing = 66;

    /// <summary>A server or device that the command needs is not there.</summary>
    public const int Unavailable = 69;

    /// <summary>A file cannot be made, or is there already.</summary>
    public const int CannotCreate = 73;

    /// <summary>The fleet's database or its writer is busy; the same command may work in a moment.</summary>
    public const int Busy = 75;

    /// <summary>A passphrase, password or access right is missing or wrong.</summary>
    public const int NotPermitted = 77;

    public const int Interrupted = Interruption.ExitCode;
}
