using TorchSharp;

namespace Dunlin.Optimizer.Training.Execution;

/// <summary>
/// Numbers for torch. TorchSharp takes a scalar's handle and lets go of it before torch reads it, so that the collector may free it in between: two
/// trainings ended so, in "Expected false to be true" of Scalar.h. These stay until their thread has made more than a call takes. What makes scalars
/// of its own within TorchSharp (0.107) is banned, too: by its IL, of what is called here add, add_, elu and softplus without all of their scalars.
/// </summary>
internal static class Scalars
{
    private const int KeptCount = 16;

    [ThreadStatic]
    private static Scalar[]? _kept;

    [ThreadStatic]
    private static int _next;

    public static Scalar Of(double value) => Keep(value.ToScalar());

    public static Scalar Of(long value) => Keep(value.ToScalar());

    private static Scalar Keep(Scalar scalar)
    {
        _next = (_next + 1) % KeptCount;
        return (_kept ??= new Scalar[KeptCount])[_next] = scalar;
    }
}
