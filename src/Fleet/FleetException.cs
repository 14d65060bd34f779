namespace Dunlin.Fleet;

/// <summary>What a person can put right: a sentence with the thing, the rule and the next step, and how the process ends.</summary>
internal sealed class FleetException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode => exitCode;
}
