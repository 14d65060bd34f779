namespace Dunlin.Bundles.State;

/// <summary>What was found of a record on the disk.</summary>
/// <param name="Condition">Where the value came from, or why there is none.</param>
/// <param name="Value">Null if absent or damaged.</param>
/// <param name="Problem">What is wrong with the files, in a sentence; null if nothing is.</param>
public sealed record StateRead<T>(StateCondition Condition, T? Value, string? Problem)
    where T : class;

public enum StateCondition
{
    /// <summary>Neither the file nor its backup exists.</summary>
    Absent = 1,

    Good = 2,

    /// <summary>The file is absent or damaged and its backup is good.</summary>
    FromBackup = 3,

    /// <summary>Something exists and none of it is readable; never to be taken for a fresh installation.</summary>
    Damaged = 4,
}
