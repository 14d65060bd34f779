namespace Dunlin.Agent.Updates.Fetching;

/// <summary>A file that the configuration names for fetching cannot be used: another attempt changes nothing, a person must.</summary>
internal sealed class AccessFileException(string key, string file, string problem)
    : Exception($"{key} '{file}' cannot be used: {problem} Correct it; the agent's user must be able to read it.");
