using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Runtime.Sessions;

/// <summary>How every session of Dunlin is made; what changes a saved model is part of <see cref="Signature"/>.</summary>
internal static class SessionSettings
{
    /// <summary>Part of <see cref="SavedModelKey"/>: raise it when a setting below changes what is saved.</summary>
    public const string Signature = "v1;all;external-weights";

    // Far above what an image classifier needs, far below ORT's own limits (10⁶ nodes, 1 GiB), with which 1.3 kB hang it.
    private const string FunctionExpansionNodeLimit = "20000";
    private const string FunctionExpansionByteLimit = "67108864";
    private const string ConstantFoldingByteLimit = "67108864";

    public static SessionOptions Create(int threads, string provider, bool saved)
    {
        _ = OnnxEnvironment.Instance;
        var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = saved ? GraphOptimizationLevel.ORT_DISABLE_ALL : GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            // One block for all activations is up to 2 MB more than the arena needs for them one by one (MobileNetV2).
            EnableMemoryPattern = false,
        };
        try
        {
            // Spinning burns 13 times the energy at ten frames a second and wins nothing (facts).
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
            options.AddSessionConfigEntry("session.function_expansion_node_limit", FunctionExpansionNodeLimit);
            options.AddSessionConfigEntry("session.function_expansion_byte_limit", FunctionExpansionByteLimit);
            options.AddSessionConfigEntry("optimization.constant_folding_max_output_size_in_bytes", ConstantFoldingByteLimit);
            // Weights stay out of the arena, which rounds its growth up to powers of two.
            options.AddSessionConfigEntry("session.use_device_allocator_for_initializers", "1");
            Providers.Append(options, provider);
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }
}
