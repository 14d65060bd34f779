namespace Dunlin.Agent.Tests;

/// <summary>
/// For tests that watch the memory of this process, where what others need meanwhile would be held against them, or that set its
/// environment, which others would read.
/// </summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
