namespace Dunlin.Fleet;

/// <summary>What the process ends with (sysexits.h where it has a word for it).</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>A bundle or key is missing or not what it must be.</summary>
    public const int InputMissing = 66;

    /// <summary>A server that the command needs is not there.</summary>
    public const int Unavailable = 69;

    /// <summary>A file cannot be made, or is there already.</summary>
    public const int CannotCreate = 73;
}
